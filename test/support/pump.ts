import { readFileSync } from 'node:fs';

/** Finds the pump below a gsup; undefined while there is none. */
export const pumpOf = (gsup: { tree(): number[] }) => (): number | undefined =>
  gsup.tree().find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'gsup pump\n';
    } catch {
      return false;
    }
  });
