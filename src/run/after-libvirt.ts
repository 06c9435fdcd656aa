/** libvirt hears of the stop and not of the migration, which it has not begun; QEMU would continue the machine if it were told to. */
export const afterwardsInLibvirt =
  'after a move libvirt shows the domain at its source as paused: end it with virsh destroy; virsh resume would run the machine twice';
