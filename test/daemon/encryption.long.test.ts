import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority, contentsOf, type IssuedFiles } from '../fixtures/certificates.ts';
import { ask, Daemons, eventually, has, quick, stream } from '../fixtures/daemons.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

let daemons: Daemons;
afterEach(() => daemons.end());

/** A file in a daemon's folder, beside its configuration. */
function place(daemon: string, file: string, bytes: Uint8Array, mode = 0o600): void {
  mkdirSync(join(daemons.folder, daemon), { recursive: true });
  writeFileSync(join(daemons.folder, daemon, file), bytes, { mode });
}

/** Moves the guest from alpha to beta; the record. */
async function moved(alpha: ServedDaemon) {
  const { body } = await ask(alpha, 'POST', '/api/migrations', { guest: stream.name, to: 'beta', ...quick });
  const ended = await eventually(
    () => ask(alpha, 'GET', `/api/migrations/${body.id}`),
    (view) => view.body.endedAt !== null,
  );
  return ended.body.record;
}

describe('two daemons with the same key', () => {
  test('move guests encrypted, and only so: turned off at one end, it is refused', async () => {
    daemons = new Daemons();
    const key = randomBytes(32);
    for (const name of ['alpha', 'beta']) place(name, 'move.key', key);
    const address = `127.0.0.1:${await freePort()}`;
    const peer = { address, keyFile: 'move.key' };
    const [alpha, beta] = await Promise.all([
      daemons.start('alpha', { peers: { beta: { ...peer, tls: 'off' } }, guests: [stream] }),
      daemons.start('beta', { receive: { listen: address, keyFile: 'move.key' } }),
    ]);
    const refused = await moved(alpha);
    expect(refused).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect(refused.reason).toContain('the source does not encrypt, and this destination does');
    daemons.configure('alpha', { peers: { beta: peer }, guests: [stream] });
    alpha.signal('SIGHUP');
    await eventually(
      async () => alpha.log,
      (log) => log.includes('configuration reloaded'),
    );
    expect(await moved(alpha)).toMatchObject({
      outcome: 'completed',
      link: { encryption: { kind: 'psk', protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } },
    });
    await eventually(
      async () => beta.log,
      (log) => log.includes('encrypted from the shared key (TLSv1.3'),
    );
  });
});

describe.skipIf(!has('openssl', 'version'))('with certificates', () => {
  let authority: CertificateAuthority;
  let issued: IssuedFiles;
  beforeAll(() => {
    authority = new CertificateAuthority();
    issued = authority.issue('host', 'IP:127.0.0.1,DNS:localhost');
  });
  afterAll(() => authority.end());

  const own = () => ({ cert: issued.cert, key: issued.key });

  const answered = (daemon: ServedDaemon, path: string, method = 'GET'): Promise<IncomingMessage> => {
    const { ca } = contentsOf(issued);
    return new Promise((resolve, reject) => {
      const headers = method === 'POST' ? { 'content-type': 'application/json' } : {};
      request(`https://${daemon.address}${path}`, { ca, method, headers, agent: false }, resolve)
        .once('error', reject)
        .end();
    });
  };
  const textOf = async (answer: IncomingMessage) => (await answer.setEncoding('utf8').toArray()).join('');

  test('the API speaks HTTPS: page, state, metrics and events', async () => {
    daemons = new Daemons();
    const daemon = await daemons.start('alone', { api: { tls: own() }, guests: [stream] });
    const page = await answered(daemon, '/');
    expect(page.headers['content-type']).toContain('text/html');
    expect(await textOf(page)).toContain('<html');
    expect(JSON.parse(await textOf(await answered(daemon, '/api/state')))).toMatchObject({ name: 'alone' });
    expect(await textOf(await answered(daemon, '/metrics'))).toContain('switchover_guests');
    const events = await answered(daemon, '/api/events');
    expect(events.headers['content-type']).toContain('text/event-stream');
    expect((await answered(daemon, '/api/guests/stream/pause', 'POST')).statusCode).toBe(200);
    let heard = '';
    for await (const text of events.setEncoding('utf8')) {
      heard += text;
      if (heard.includes('data:')) break;
    }
    expect(heard).toContain('stream');
  });

  test('the API answers nobody in plain, and speaks no old protocol', async () => {
    daemons = new Daemons();
    const daemon = await daemons.start('alone', { api: { tls: own() } });
    await expect(ask(daemon, 'GET', '/healthz')).rejects.toThrow();
    const [host, port] = daemon.address.split(':');
    const old = connect({ host, port: Number(port), maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' });
    const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/ALERT_PROTOCOL_VERSION|NO_PROTOCOLS_AVAILABLE/);
    expect((await answered(daemon, '/healthz')).statusCode).toBe(200);
  });

  test('guests move between daemons that trust the same authority', async () => {
    daemons = new Daemons();
    const address = `127.0.0.1:${await freePort()}`;
    const [alpha] = await Promise.all([
      daemons.start('alpha', { peers: { beta: { address, tls: issued } }, guests: [stream] }),
      daemons.start('beta', { receive: { listen: address, tls: issued } }),
    ]);
    expect(await moved(alpha)).toMatchObject({
      outcome: 'completed',
      link: { encryption: { kind: 'certificate', protocol: 'TLSv1.3' } },
    });
  });

  test('renewed ones are used from the next connection on, without a restart', async () => {
    daemons = new Daemons();
    const address = `127.0.0.1:${await freePort()}`;
    const configuration = (files: IssuedFiles) => ({
      api: { tls: { cert: files.cert, key: files.key } },
      receive: { listen: address, tls: files },
    });
    const daemon = await daemons.start('alone', configuration(issued));
    const renewed = authority.issue('renewed');
    daemons.configure('alone', configuration(renewed));
    daemon.signal('SIGHUP');
    const log = await eventually(
      async () => daemon.log,
      (lines) => lines.includes('configuration reloaded'),
    );
    expect(log).not.toContain('a restart is needed');
    for (const there of [address, daemon.address]) {
      const [host, port] = there.split(':');
      const socket = connect({ host, port: Number(port), ...contentsOf(renewed) });
      await once(socket, 'secureConnect');
      expect(socket.getPeerCertificate().subject.CN).toBe('renewed');
      socket.destroy();
    }
    daemons.configure('alone', { receive: { listen: address } });
    daemon.signal('SIGHUP');
    await eventually(
      async () => daemon.log,
      (lines) => lines.includes('a restart is needed for receive.tls, api.tls'),
    );
  });

  test('what is wrong with files is said with its path before anything starts', async () => {
    daemons = new Daemons();
    const expired = authority.issue('old', 'IP:127.0.0.1', '210101000000Z');
    place('alone', 'readable.key', readFileSync(issued.key), 0o644);
    const starting = daemons.start('alone', {
      api: { tls: { cert: expired.cert, key: expired.key } },
      receive: { tls: { cert: issued.cert, key: expired.key, ca: issued.key } },
      peers: { beta: { address: '127.0.0.1:1', tls: { ...issued, key: 'readable.key' } } },
    });
    const complaint = await starting.catch((cause: Error) => cause.message);
    expect(complaint).toContain(
      'api.tls.cert: expected a certificate that is valid now, found one that expired',
    );
    expect(complaint).toContain('receive.tls.key: expected the private key of');
    expect(complaint).toContain('receive.tls.ca: expected certificates of authorities in PEM');
    expect(complaint).toMatch(/peers\.beta\.tls\.key: expected a file that nobody else can read: chmod 600/);
  });
});
