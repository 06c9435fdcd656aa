import type { KnownCommands } from './known-command.ts';

/** What `switchover` can be asked for, as its help lists it. */
export const commands: KnownCommands = {
  run: {
    describe: 'run the migrations of a scenario file and print a table',
    load: async () => (await import('./run.ts')).runCommand,
    takesOwnRules: true,
  },
  sweep: {
    describe: 'run a large experiment on all cores; after an interruption, the same command continues it',
    load: async () => (await import('./sweep.ts')).sweepCommand,
    takesOwnRules: true,
  },
  predict: {
    describe: 'predict with a model whether a migration converges, and its rounds, downtime and total time',
    load: async () => (await import('./predict.ts')).predictCommand,
    takesOwnRules: true,
  },
  import: {
    describe:
      'read logs of a real migration (QEMU, libvirt, Cloud Hypervisor, KubeVirt, Proxmox), say what happened, and write a scenario like it',
    load: async () => (await import('./import.ts')).importCommand,
  },
  watch: {
    describe:
      'follow the migrations of QEMUs that somebody else has started: when they will end, with which downtime, and metrics of them',
    load: async () => (await import('./watch.ts')).watchCommand,
  },
  plan: {
    describe:
      'find the least reservations of CPU and link with which a target of downtime or total time is kept; exit code 3 if none do',
    load: async () => (await import('./plan.ts')).planCommand,
    takesOwnRules: true,
  },
  order: {
    describe:
      'compute in which order to send pages whose write probabilities are known, with a bound on the distance from the best order',
    load: async () => (await import('./order.ts')).orderCommand,
    takesOwnRules: true,
  },
  schedule: {
    describe: 'simulate CPU reservations and draw which task runs when',
    load: async () => (await import('./schedule.ts')).scheduleCommand,
  },
  stress: {
    describe:
      'raise a load step by step until a limit is exceeded; exit code 3 if one is, 1 if a guest was changed on its way',
    load: async () => (await import('./stress.ts')).stressCommand,
    takesOwnRules: true,
  },
  report: {
    describe: 'write tables, plots and conclusions about the records in a folder, as HTML, Markdown and CSV',
    load: async () => (await import('./report.ts')).reportCommand,
  },
  receive: {
    describe: 'run a destination that accepts migrations until it is stopped',
    load: async () => (await import('./receive.ts')).receiveCommand,
  },
  record: {
    describe: 'record which memory pages a running process or a virtual machine writes',
    load: async () => (await import('./record.ts')).recordCommand,
  },
  migrate: {
    describe: 'move a running virtual machine, whoever started it, to another QEMU under a plan',
    load: async () => (await import('./migrate.ts')).migrateCommand,
    takesOwnRules: true,
  },
  recover: {
    describe: 'after a crash, decide from the journals which end owns each guest',
    load: async () => (await import('./recover.ts')).recoverCommand,
  },
  replay: {
    describe: 'replay a trace written by run --trace and check that steps and outcome are the same',
    load: async () => (await import('./replay.ts')).replayCommand,
    takesOwnRules: true,
  },
  serve: {
    describe: 'run a daemon that hosts guests and migrates them, with an HTTP API, metrics and a web page',
    load: async () => (await import('./serve.ts')).serveCommand,
    takesOwnRules: true,
  },
  init: {
    describe: 'write a scenario with comments, for a question that you have',
    load: async () => (await import('./init.ts')).initCommand,
  },
  reference: {
    describe: 'say what a key of a scenario means',
    load: async () => (await import('./reference.ts')).referenceCommand,
  },
  completion: {
    describe: 'print what makes a shell complete commands, options and names of scenarios',
    load: async () => (await import('./completion.ts')).completing(commands),
  },
  doctor: {
    describe: 'check what works on this machine',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
};
