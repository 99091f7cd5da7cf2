// dist/client.cjs: what init starts for a command that it does not carry out itself.
const { join } = require('node:path');
const { requireCached } = require('./cached.cjs');

// At the end, when it is known what is needed.
const atExit = (keep) => process.on('exit', keep);
const { runClient } = requireCached(join(__dirname, 'client-commands.cjs'), 'client', atExit);
const code = runClient(process.argv.slice(2), process.env);
if (code === null) require('./main.cjs');
else code.then((each) => process.exit(each));
