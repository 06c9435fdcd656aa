/** Says with which code the process is to end: a command calls it once, or throws. */
export type Exit = (code: number) => void;
