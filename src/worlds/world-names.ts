/** The worlds that can be asked for by name. */
export const worldNames = ['virtual', 'threads', 'vm', 'qemu-native'] as const;
export type WorldName = (typeof worldNames)[number];
