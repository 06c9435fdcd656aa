import { z } from 'zod';
import { expected } from '../core/units.ts';
import { UsageError } from '../platform/problem.ts';
import { reservationSchema } from '../scenario/cpu.ts';
import { guestDefinitionSchema, nameSchema } from '../scenario/migration-request.ts';
import { object } from '../scenario/object-schema.ts';
import { durationAboveZero, quantity, rate, whole } from '../scenario/quantity.ts';
import { parseAddress } from '../transport/address.ts';

/** What a daemon's configuration file says. Every message completes the sentence "expected …". */

/** Each is asked four times a second. */
const MOST_WATCHED = 200;

/** HOST:PORT, or [HOST]:PORT. */
export const addressSchema = z
  .string('HOST:PORT')
  .meta({ examples: ['127.0.0.1:7171', '[::1]:7171'] })
  .transform((text, context) => {
    try {
      return parseAddress(text, '');
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      context.addIssue({ code: 'custom', message: 'HOST:PORT' });
      return z.NEVER;
    }
  });

const keyFile = z.string('the path of a file').optional();
const sizeAboveZero = quantity('size', expected.size, (bytes) => bytes > 0);

const pemFile = z.string('the path of a file in PEM');

const certificates = object(
  'Certificates',
  'From what is encrypted instead of the key.',
  '{ cert, key, ca }',
  {
    cert: pemFile.describe('The path of the certificate of this host, in PEM.'),
    key: pemFile.describe('The path of its private key, which nobody else can read.'),
    ca: pemFile.describe('The path of the certificate of the authority that signed those of other hosts.'),
  },
);

const tls = z
  .union([z.literal('off'), certificates], 'off, or { cert, key, ca }')
  .optional()
  .describe(
    'Certificates to encrypt from, or `off`: nothing is encrypted, although there is a key. Without it: encrypted from the key.',
  );

const receive = object(
  'Arrivals',
  'Where guests arrive. A change needs a restart.',
  '{ listen, keyFile, tls }',
  {
    listen: addressSchema
      .prefault('127.0.0.1:0')
      .describe(
        'Where guests arrive, HOST:PORT; port 0 takes any free one. Beyond this host only with a key or certificates.',
      ),
    keyFile: keyFile.describe(
      'The path of a file with the key that every source must have too, and from which the stream is encrypted. Without it: none is asked for.',
    ),
    tls,
  },
).prefault({});

const limits = object(
  'Limits',
  'How much a daemon takes on.',
  '{ guests, guestMemory, runningMigrations, runningExperiments, waiting, body }',
  {
    guests: whole(1, 1000).default(16).describe('The most guests that live here.'),
    guestMemory: sizeAboveZero.prefault('1GiB').describe('The most memory that they have together, a size.'),
    runningMigrations: whole(1, 16).default(1).describe('The most migrations that run at once.'),
    runningExperiments: whole(1, 16).default(1).describe('The most experiments that run at once.'),
    waiting: whole(0, 10_000).default(500).describe('The most migrations and experiments that wait.'),
    body: sizeAboveZero.prefault('256KiB').describe('The longest body of a request, a size.'),
  },
).prefault({});

const apiCertificate = object('API certificate', 'With it the API speaks HTTPS.', '{ cert, key }', {
  cert: pemFile.describe('The path of the certificate, in PEM.'),
  key: pemFile.describe('The path of its private key, which nobody else can read.'),
}).optional();

const hostName = z
  .string('a host name')
  .regex(/^[a-z\d_]([a-z\d_.-]{0,251}[a-z\d_])?$/i, 'a host name without a port, such as alpha.example');

const api = object('API', 'Who may change something by the API.', '{ keyFile, hosts, tls }', {
  keyFile: keyFile.describe(
    'The path of a file with the key that calls must bring which change something. Without it: none is asked for.',
  ),
  hosts: z
    .array(hostName, 'a list of host names')
    .max(100, 'at most 100 names')
    .default([])
    .describe(
      'Names of this host under which the API answers. It always does under addresses and localhost.',
    ),
  tls: apiCertificate.describe('A certificate: the API speaks HTTPS. Without it: HTTP.'),
}).prefault({});

const target = object('Target', 'What is aimed at.', '{ downtime }', {
  downtime: durationAboveZero
    .prefault('300ms')
    .describe('The downtime aimed at, a time: for alert and charts.'),
}).prefault({});

const peer = object('Peer', undefined, '{ address, over, keyFile, tls }', {
  address: addressSchema.describe('Where it takes guests in, HOST:PORT.'),
  over: nameSchema
    .optional()
    .describe(
      'The link over which it is reached: whatever goes there goes over it. Without it: who asks says.',
    ),
  keyFile: keyFile.describe('The path of a file with the key that it asks for. Without it: none.'),
  tls,
});

const link = object('Link', undefined, '{ capacity }', {
  capacity: rate.describe('What all migrations over it may have reserved together, a rate.'),
});

const monitor = z
  .string('the path of a socket')
  .min(1, 'the path of a socket')
  .describe('The path of a monitor (QMP) of a QEMU, which nobody else uses. It need not be there yet.');

const watched = object('Watched machine', undefined, '{ qmp, stopRate }', {
  qmp: monitor,
  stopRate: rate
    .optional()
    .describe(
      'b_d, the rate that the stop of its migrations really has. Without it: as QEMU was told, or as live rounds have.',
    ),
});

const programGuest = guestDefinitionSchema
  .safeExtend({
    kind: z
      .literal('threads')
      .optional()
      .describe('What it is: threads of this process, over shared memory.'),
  })
  .meta({ title: 'Guest of threads', description: 'A guest that is booted here, and ends with the daemon.' });

const machineGuest = object(
  'Machine guest',
  'A machine of QEMU that somebody else starts and ends: one that runs, and can leave, or one that waits (`-incoming defer`), and can arrive.',
  'a machine: { kind: qemu, name, qmp }',
  {
    kind: z.literal('qemu').describe('What it is: a machine of QEMU.'),
    name: nameSchema.describe('What it is called, here and at the daemons to which it goes.'),
    qmp: monitor,
    reservation: reservationSchema.describe(
      'What each of its processors is reserved while it leaves, of a processor of this host, by the kernel. Without it: nothing.',
    ),
  },
);

const guests = z
  .array(
    z.discriminatedUnion('kind', [programGuest, machineGuest], 'a guest of kind threads or qemu'),
    'a list of guests',
  )
  .superRefine(
    (list, context) => {
      for (const [index, guest] of list.entries()) {
        const isFirst = list.findIndex((other) => other?.name === guest?.name) === index;
        if (isFirst) continue;
        context.addIssue({ code: 'custom', path: [index, 'name'], message: 'a name of its own' });
      }
    },
    // Also where something else is wrong with one of them.
    { when: ({ value }) => Array.isArray(value) },
  )
  .prefault([])
  .describe(
    'Guests that are booted when the daemon starts, unless they have left, and machines of QEMU. A change needs a restart.',
  );

export const configurationSchema = object(
  'Configuration of a daemon',
  'What `switchover serve --config` reads. Paths count from the folder of this file.',
  'a configuration',
  {
    name: nameSchema.default('switchover').describe('What the daemon is called. A change needs a restart.'),
    receive,
    api,
    state: z
      .string('the path of a folder')
      .default('./state')
      .describe('The folder of journals, the event log and records. A change needs a restart.'),
    drain: durationAboveZero
      .prefault('30s')
      .describe('How long what runs may take to end after SIGTERM, a time.'),
    target,
    machine: z
      .string('the path of a machine profile')
      .optional()
      .describe(
        'The profile of this host, which `switchover doctor --profile` writes, or the name of a bundled one, such as typical. Plans for targets add its costs: hashing, messages and the hand-over. Without it they are left out.',
      ),
    limits,
    peers: z
      .record(nameSchema, peer, 'destinations by name')
      .prefault({})
      .describe('Destinations by name, to which guests can be moved.'),
    links: z
      .record(nameSchema, link, 'links by name')
      .prefault({})
      .describe('Links by name, which migrations can be asked to go over.'),
    watch: z
      .record(nameSchema, watched, 'machines by name')
      .refine((machines) => Object.keys(machines).length <= MOST_WATCHED, `at most ${MOST_WATCHED} machines`)
      .prefault({})
      .describe('QEMUs of others by name, whose migrations are followed and never touched.'),
    guests,
  },
);
