/** What is known of a process from here. */
export type Life = 'lives' | 'has ended' | 'unknown';

/** What came of asking a process through the socket that it holds in a folder as long as it lives. */
export interface Attempt {
  /** `accepts`: somebody listens, though perhaps frozen. `refuses`: nobody does, as far as this kernel knows. */
  readonly answer: 'accepts' | 'refuses' | 'cannot be asked';
  /** It is the very socket that the process made, and not one in a copy of the folder. */
  readonly isOriginal: boolean;
  /** The process ran under the kernel that was asked, since its last boot. */
  readonly isSameKernel: boolean;
  /** The folder is on a file system that one kernel mounts at a time. */
  readonly isLocal: boolean;
}

/**
 * A refusal proves an end only where no other kernel could have the listener. No name decides anything here: a host may
 * be renamed, two may have one name, and process numbers repeat in every namespace.
 */
export function lifeFrom({ answer, isOriginal, isSameKernel, isLocal }: Attempt): Life {
  if (answer === 'accepts') return 'lives';
  return answer === 'refuses' && isOriginal && (isSameKernel || isLocal) ? 'has ended' : 'unknown';
}
