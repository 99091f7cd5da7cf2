/** What a Dockerfile says of the command that its image runs. Pure. */
export interface Words {
  /** As it stands (JSON in the file), or the text of a shell. */
  readonly words?: readonly string[];
  readonly shell?: string;
}

export interface Dockerfile {
  /** What the last stage is made from; of the last `FROM`. */
  readonly base: string | undefined;
  readonly entrypoint: Words | undefined;
  readonly cmd: Words | undefined;
  readonly stopSignal: string | undefined;
  readonly workingDir: string | undefined;
  readonly user: string | undefined;
  readonly exposed: readonly string[];
}

interface Stage {
  base: string;
  name: string | undefined;
  entrypoint?: Words;
  cmd?: Words;
  stopSignal?: string;
  workingDir?: string;
  user?: string;
  exposed: string[];
}

/** `target`: the stage that is built; null: the last one. What a stage does not say, the stage that it is made from says. */
export function readDockerfile(text: string, target: string | null): Dockerfile {
  const stages: Stage[] = [];
  for (const { word, rest } of instructionsOf(text)) readInstruction(stages, word, rest);
  const wanted = target === null ? undefined : stages.find(({ name }) => name === target.toLowerCase());
  return inherited(stages, wanted ?? stages.at(-1));
}

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** Lines that end in the escape character go on; comments among them are none of it. */
function instructionsOf(text: string): Instruction[] {
  const continues = /^\s*#\s*escape\s*=\s*`/im.test(text.split('\n', 1)[0] ?? '') ? '`' : '\\';
  const found: Instruction[] = [];
  let open = '';
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    if (/^\s*#/.test(line) || (open !== '' && line.trim() === '')) continue;
    const whole = `${open}${line}`;
    if (whole.trimEnd().endsWith(continues)) {
      open = `${whole.trimEnd().slice(0, -1)} `;
      continue;
    }
    open = '';
    const [, word, rest] = /^\s*([A-Za-z]+)\s+(.*?)\s*$/.exec(whole) ?? [];
    if (word !== undefined && rest !== undefined) found.push({ word: word.toUpperCase(), rest });
  }
  return found;
}

function readInstruction(stages: Stage[], word: string, rest: string): void {
  if (word === 'FROM') {
    const [, base = '', name] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(rest) ?? [];
    stages.push({ base, name: name?.toLowerCase(), exposed: [] });
    return;
  }
  const stage = stages.at(-1);
  if (stage === undefined) return;
  if (word === 'ENTRYPOINT') {
    stage.entrypoint = wordsOf(rest);
    // As Docker has it: what was inherited as CMD is not for this one.
    delete stage.cmd;
  } else if (word === 'CMD') stage.cmd = wordsOf(rest);
  else if (word === 'STOPSIGNAL') stage.stopSignal = rest;
  else if (word === 'USER') stage.user = rest;
  else if (word === 'WORKDIR')
    stage.workingDir =
      rest.startsWith('/') || stage.workingDir === undefined ? rest : `${stage.workingDir}/${rest}`;
  else if (word === 'EXPOSE') stage.exposed.push(...rest.split(/\s+/));
}

function wordsOf(rest: string): Words {
  try {
    const list: unknown = rest.startsWith('[') ? JSON.parse(rest) : null;
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return { words: list };
  } catch {
    // Docker takes what is no JSON for the text of a shell.
  }
  return { shell: rest };
}

function inherited(stages: readonly Stage[], stage: Stage | undefined): Dockerfile {
  const chain: Stage[] = [];
  for (let at = stage; at !== undefined && !chain.includes(at); ) {
    chain.push(at);
    const base = at.base.toLowerCase();
    const before = stages.slice(0, stages.indexOf(at));
    at = before.find(({ name }) => name === base);
  }
  const nearest = <K extends keyof Stage>(key: K) => chain.find((one) => one[key] !== undefined)?.[key];
  const withEntrypoint = chain.findIndex(({ entrypoint }) => entrypoint !== undefined);
  const forCmd = withEntrypoint < 0 ? chain : chain.slice(0, withEntrypoint + 1);
  return {
    base: chain.at(-1)?.base,
    entrypoint: nearest('entrypoint'),
    cmd: forCmd.find(({ cmd }) => cmd !== undefined)?.cmd,
    stopSignal: nearest('stopSignal'),
    workingDir: nearest('workingDir'),
    user: nearest('user'),
    exposed: chain.flatMap(({ exposed }) => exposed),
  };
}
