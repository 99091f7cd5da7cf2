/** When a file of a folder is written to. */
import { type FSWatcher, watch } from 'node:fs';

export interface FolderWatch {
  close(): void;
}

/** Where the kernel does not tell of changes (no inotify, too many watches), this is how often one looks. */
const LOOK_EVERY_MS = 250;
/** Where it does: what it cannot tell, such as that the folder itself is there now. */
const LOOK_ALSO_EVERY_MS = 2000;

/** With the file's name, or null: any of them. */
type Changed = (file: string | null) => void;

/**
 * Calls `changed` when a file may have been written to. The kernel tells, so nothing is polled but for what it cannot tell.
 * The folder may come later. Does not keep this process alive.
 */
export function watchFolder(folder: string, changed: Changed): FolderWatch {
  let watcher: FSWatcher | null = null;
  let timer: NodeJS.Timeout;
  const watchOn = (): void => {
    watcher ??= tryToWatch(folder, changed, () => {
      watcher = null;
    });
    timer = setTimeout(look, watcher === null ? LOOK_EVERY_MS : LOOK_ALSO_EVERY_MS);
    timer.unref();
  };
  const look = (): void => {
    watchOn();
    changed(null);
  };
  watchOn();
  return {
    close() {
      clearTimeout(timer);
      watcher?.close();
    },
  };
}

function tryToWatch(folder: string, changed: Changed, lost: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => changed(name));
    return watcher.on('error', () => {
      watcher.close();
      lost();
    });
  } catch {
    return null;
  }
}
