const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * The most that is read of an input, whoever wrote it. What is larger is refused with the limit named. All such limits
 * are here; docs/input-limits.md lists them with what happens beyond each. How many peers are served, and for how long,
 * is in transport/limits.ts.
 */
export const inputLimits = {
  /** A file in YAML or JSON: scenario, configuration of a daemon, workload, list of probabilities, design. */
  documentBytes: 8 * MIB,
  /** Of YAML that is not JSON, which takes a hundred times as long to read. */
  yamlCharacters: 256 * KIB,
  /** The same in words, marks and the space between them. */
  yamlTokens: 100_000,
  /** How deep lists and objects may be nested, in JSON and YAML. */
  nesting: 64,
  /** Numbers, texts, lists and objects in one JSON text. */
  jsonValues: 1_000_000,
  /** How many parts a dotted path of a setting may have. */
  settingParts: 16,
  /** Combinations that `compare` may come to. A sweep has its own limit, because it keeps none of them. */
  combinations: 2_000,
  /** The pages of a guest in a scenario: 4 TiB in pages of 4 KiB. */
  guestPages: 2 ** 30,
  /** Those that the model follows one by one: of recordings, and for orders that it cannot ask of strata. */
  modelledPages: 2 ** 24,
  /** A page of a guest: one that is larger than a frame may be travels in pieces. */
  pageBytes: 2 ** 30,
  /** Classes of pages in a guest's program. */
  classes: 10_000,
  /** How often a program writes, in a second: once in a nanosecond. */
  writesPerSecond: 1e9,
  /** The shortest time from one heartbeat, or frame, to the next, in nanoseconds. */
  shortestHeartbeatNs: 10_000,
  /** The state of a guest's devices, and the time that they take besides. */
  deviceStateBytes: 2 ** 40,
  deviceTimeNs: 24 * 3_600 * 1e9,
  /** Windows of observation before a migration. */
  observedWindows: 100_000,
  /** Live rounds that a stop rule may be told to make. */
  rounds: 10_000,
  /** Live rounds of one migration, of each of which the record has a line. After them it gives up. */
  liveRounds: 1_000_000,
  /** Tasks of a real-time task set. */
  tasks: 1_000,
  /** Slices of time that `schedule` may have to simulate. */
  slices: 1_000_000,
  /** A recording as it lies on disk, or in a hello in base64. */
  recordingBytes: 32 * MIB,
  /** The same unpacked. */
  recordingTextBytes: 64 * MIB,
  /** One sample of it. */
  recordingLineBytes: 8 * MIB,
  recordingHeaderBytes: 64 * KIB,
  recordingSamples: 1_000_000,
  recordingWrites: 6_000_000,
  /** How many times as fast as it was recorded it may be replayed. */
  recordingSpeed: 1_000,
  /** The log of a real machine that is imported, unpacked; its lines and samples; and how many files at once. */
  importedTextBytes: 32 * MIB,
  importedLines: 200_000,
  importedSamples: 50_000,
  importedFiles: 100,
  /** What a monitor of QEMU says in one line. */
  monitorLineBytes: 8 * MIB,
  /** A line of a trace, which names every page that a step sends. */
  traceLineBytes: 64 * MIB,
  /** A line of records or of the event log. */
  recordLineBytes: 16 * MIB,
  /** The payload of a hello, which may carry a recording. */
  helloBytes: 16 * MIB,
  /** Values in the JSON of a hello, whose recording is one. */
  helloValues: 50_000,
  /** The payloads of all hellos that are arriving at a destination. */
  arrivingHelloBytes: 24 * MIB,
  /** A hello that is looked at in the thread that serves the guests; a longer one is not. */
  promptHelloBytes: 64 * KIB,
  /** How long a hello may be looked at in a thread of its own, on a busy machine too; its source waits for 30 s. */
  helloMs: 25_000,
  /** The memory of that thread, beyond what it is given. */
  helloHeapMiB: 128,
  /** The payload of any other frame that is no page. */
  controlBytes: 64 * KIB,
} as const;
