// dist/main.js: main.cjs, under the name by which an installation is known.
import './main.cjs';
