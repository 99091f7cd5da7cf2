/** `gsup install-init`: a link to the native entry, so that a container starts it without a shell in front of it. */
import {
  accessSync,
  constants,
  lstatSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../signals/exit-codes.ts';
import { quote } from './messages.ts';
import { failure, type Outcome, success } from './output.ts';

/** `dist/main.js` and its chunks lie at different depths, `dist` is the name of only one folder above them. */
export function packageFolder(moduleUrl: string): string {
  const path = fileURLToPath(moduleUrl);
  return path.slice(0, path.lastIndexOf('/dist/'));
}

/** `folder`: of the package. `path`: where the link shall be; without it, where a shell finds the launcher. */
export function installInit(folder: string, path: string | undefined, searchPath: string): Outcome {
  const native = nativeOf(folder);
  if (native === undefined) {
    const cause =
      'there is no native entry for this machine; npm run build:native makes one with a C compiler';
    return failure(EXIT.unavailable, `cannot link "${quote(nativesOf(folder)[0])}": ${cause}`);
  }
  const place = path === undefined ? findLauncher(folder, searchPath) : placeOf(path);
  if (place === undefined) {
    const cause = "a PATH to put the link at is needed, because this package's gsup is not in $PATH";
    return failure(
      EXIT.usage,
      `cannot link "${quote(native)}": ${cause}; write gsup install-init /usr/local/bin/gsup`,
    );
  }
  return link(realpathSync(native), place);
}

/** undefined: there is none for this machine. */
export function nativeOf(folder: string): string | undefined {
  return nativesOf(folder).find(isExecutable);
}

/** A checkout has the one that was built there, the package one for each machine. */
function nativesOf(folder: string): [string, string] {
  const native = join(folder, 'dist/native/gsup');
  return [native, `${native}-${process.arch}`];
}

function link(native: string, place: string): Outcome {
  if (isFile(place)) {
    const cause = 'a new name or a link is needed, got a file that somebody has put there';
    return failure(EXIT.usage, `cannot link "${quote(place)}": ${cause}`);
  }
  const draft = `${place}.${process.pid}`;
  try {
    symlinkSync(native, draft);
    // Renamed over the old link: at no moment is there nothing, and a container may be starting.
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { force: true });
    return failure(EXIT.unavailable, `cannot link "${quote(place)}": ${(error as Error).message}`);
  }
  return success(`${place} -> ${native}\n`);
}

/** The first `gsup` of the search path that is this package's, whichever of its entries it leads to. */
function findLauncher(folder: string, searchPath: string): string | undefined {
  const entries = [join(folder, 'bin/gsup'), ...nativesOf(folder)].map(real);
  const places = searchPath.split(delimiter).filter((entry) => entry !== '');
  return places
    .map((entry) => join(entry, 'gsup'))
    .find((place) => !isFile(place) && entries.includes(real(place) ?? ''));
}

function placeOf(path: string): string {
  const whole = resolve(path);
  return statSync(whole, { throwIfNoEntry: false })?.isDirectory() ? join(whole, 'gsup') : whole;
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isExecutable(path: string): boolean {
  return isAllowed(path, constants.X_OK);
}

/** `mode`: of access(2). */
export function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
