import { createRequire } from 'node:module';

/** Calls functions of the C library that Node does not offer; an optional dependency. Undefined: it is not installed. */
export function koffi(): typeof import('koffi') | undefined {
  try {
    return createRequire(import.meta.url)('koffi');
  } catch {
    return undefined;
  }
}

/** Whether it is installed; it is not loaded for that. */
export function hasKoffi(): boolean {
  try {
    createRequire(import.meta.url).resolve('koffi');
    return true;
  } catch {
    return false;
  }
}
