/** A line of the log, and what of it a program may read. It holds no secrets. */
export type Log = (line: string, about?: object) => void;
