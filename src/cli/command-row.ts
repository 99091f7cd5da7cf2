/** What there is to say of a command. */

export interface CommandRow {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly notes?: string;
  /** Takes the options of the table that are for it. */
  readonly takes?: 'run' | 'up';
  /** Its own, besides the common ones. */
  readonly options?: readonly CommandOption[];
}

export interface CommandOption {
  readonly long: string;
  readonly short?: string;
  /** What stands for its value; undefined: a flag. */
  readonly value?: string;
  readonly help: string;
}
