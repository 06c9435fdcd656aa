import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { validate } from 'dockerfile-utils';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfiguration } from '../../src/daemon/configuration.ts';
import { version } from '../../src/platform/package.ts';
import { formatAddress } from '../../src/transport/address.ts';
import { root } from '../fixtures/command.ts';

const read = (file: string) => readFileSync(resolve(root, file), 'utf8');

describe('the container image', () => {
  const text = read('Dockerfile');
  const [, last = ''] = text.split(/^FROM .*$/m).slice(1);

  test('is without fault, as the language service of Docker sees it', () => {
    expect(validate(text)).toEqual([]);
    expect(validate(text.replace('USER', 'USR')).map(({ message }) => message)).toEqual([
      'Unknown instruction: USR',
    ]);
  });

  test('runs a daemon as a user without privilege, who may write to the folder of its state only', () => {
    expect(/^USER (.*)$/m.exec(last)?.[1]).toBe('node');
    const command: string[] = JSON.parse(/^CMD (\[.*\])$/m.exec(last)![1]!);
    expect(command.slice(0, 3)).toEqual(['serve', '--config', '/etc/switchover/daemon.yaml']);
    const { state } = loadConfiguration(resolve(root, 'deploy/daemon.yaml'));
    expect(/^VOLUME (.*)$/m.exec(last)?.[1]).toBe(state);
    expect(last).toContain(`--owner node --group node --mode 700 ${state}`);
  });

  test('is asked for its health where its daemon listens', () => {
    expect(last).toMatch(/^HEALTHCHECK [\s\S]*fetch\('\$SWITCHOVER_API\/healthz'\)/m);
    const listens = /"--listen", "(.*)"\]/.exec(last)?.[1];
    expect(/^ENV SWITCHOVER_API=(.*)$/m.exec(last)?.[1]).toBe(`http://${listens}`);
  });

  test('is built of what is in the repository, and named by its version', () => {
    for (const [, files] of text.matchAll(/^COPY (?!--from)(.*) \S+$/gm))
      for (const file of files!.split(' ')) expect(existsSync(resolve(root, file)), file).toBe(true);
    expect(text).toContain(`--tag switchover:${version} `);
  });
});

describe('the services of deploy/compose.yaml', () => {
  const { services } = parse(read('deploy/compose.yaml'), { merge: true });
  const daemons = ['alpha', 'beta'].map((name) => ({
    name,
    service: services[name],
    listens: services[name].command.at(-1) as string,
    configuration: loadConfiguration(resolve(root, `deploy/compose/${name}.yaml`)),
  }));

  test('use files that there are', () => {
    for (const { volumes } of Object.values<{ volumes: string[] }>(services))
      for (const [host] of volumes.map((volume) => volume.split(':')))
        if (host!.startsWith('.')) expect(existsSync(resolve(root, 'deploy', host!)), host).toBe(true);
  });

  test('are two daemons of this version, each the other’s peer, which keep their state in a volume', () => {
    for (const [at, { name, service, listens, configuration }] of daemons.entries()) {
      expect(service.image).toBe(`switchover:${version}`);
      expect(service.environment.SWITCHOVER_API).toBe(`http://${listens}`);
      expect(service.volumes).toContain(`${name}:${configuration.state}`);
      const other = daemons[1 - at]!;
      const peer = configuration.peers.get(other.name);
      expect(formatAddress(peer!.there)).toBe(formatAddress(other.configuration.receive));
    }
  });

  test('are a Prometheus that scrapes both, and a Grafana that asks it', () => {
    const { scrape_configs: jobs } = parse(read('dashboards/prometheus.yaml'));
    expect(jobs[0].static_configs[0].targets).toEqual(daemons.map(({ listens }) => listens));
    const source = parse(read('dashboards/provisioning/datasources/prometheus.yaml')).datasources[0];
    expect(services.prometheus.command).toContain(
      `--web.listen-address=${source.url.replace('http://', '')}`,
    );
    const provider = parse(read('dashboards/provisioning/dashboards/switchover.yaml')).providers[0];
    expect(services.grafana.volumes).toContain(`../dashboards:${provider.options.path}:ro`);
  });
});
