import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { shardOf } from '../../src/cli/shard-option.ts';
import { version } from '../../src/platform/package.ts';
import { root } from '../fixtures/command.ts';

/**
 * The fields of the objects that a Job may consist of, of which this manifest uses some: Kubernetes API 1.30, batch/v1 and
 * core/v1, as `kubernetes-types` 1.30.0 lists them (made from Kubernetes' OpenAPI document). Without objects of other
 * kinds of volumes. A cluster refuses a manifest with other fields.
 */
const fields = {
  Job: 'apiVersion kind metadata spec',
  ObjectMeta: 'annotations finalizers generateName labels name namespace ownerReferences',
  JobSpec:
    'activeDeadlineSeconds backoffLimit backoffLimitPerIndex completionMode completions managedBy manualSelector maxFailedIndexes parallelism podFailurePolicy podReplacementPolicy selector successPolicy suspend template ttlSecondsAfterFinished',
  PodTemplateSpec: 'metadata spec',
  PodSpec:
    'activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork hostPID hostUsers hostname imagePullSecrets initContainers nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName readinessGates resourceClaims restartPolicy runtimeClassName schedulerName schedulingGates securityContext serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes',
  Container:
    'args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy resources restartPolicy securityContext startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir',
  EnvVar: 'name value valueFrom',
  ResourceRequirements: 'claims limits requests',
  VolumeMount: 'mountPath mountPropagation name readOnly recursiveReadOnly subPath subPathExpr',
  Volume: 'name persistentVolumeClaim',
  PersistentVolumeClaimVolumeSource: 'claimName readOnly',
};

const manifest = parse(readFileSync(resolve(root, 'deploy/sweep-kubernetes.yaml'), 'utf8'));
const { spec } = manifest;
const pod = spec.template.spec;
const [container] = pod.containers;

function strangersIn(kind: keyof typeof fields, value: object): string[] {
  const known = fields[kind].split(' ');
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${kind}.${key}`);
}

describe('the Job of Kubernetes', () => {
  test('has no field that batch/v1 does not know, and all that it insists on', () => {
    expect([
      ...strangersIn('Job', manifest),
      ...strangersIn('ObjectMeta', manifest.metadata),
      ...strangersIn('JobSpec', spec),
      ...strangersIn('PodTemplateSpec', spec.template),
      ...strangersIn('PodSpec', pod),
      ...strangersIn('Container', container),
      ...container.env.flatMap((one: object) => strangersIn('EnvVar', one)),
      ...strangersIn('ResourceRequirements', container.resources),
      ...container.volumeMounts.flatMap((one: object) => strangersIn('VolumeMount', one)),
      ...pod.volumes.flatMap((one: object) => strangersIn('Volume', one)),
      ...strangersIn('PersistentVolumeClaimVolumeSource', pod.volumes[0].persistentVolumeClaim),
    ]).toEqual([]);
    expect(strangersIn('JobSpec', { ...spec, completion: 8 })).toEqual(['JobSpec.completion']);
    expect(manifest).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job' });
    expect(manifest.metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
    expect(pod.containers).toHaveLength(1);
    expect(pod.volumes.map(({ name }: { name: string }) => name)).toEqual(
      container.volumeMounts.map(({ name }: { name: string }) => name),
    );
    const quantities = Object.values({ ...container.resources.requests, ...container.resources.limits });
    for (const quantity of quantities) expect(quantity).toMatch(/^\d+(m|[KMGT]i?)?$/);
    // The value of a variable is a string; YAML would read 8 as a number, which a cluster refuses.
    for (const { value } of container.env) expect(value).toBeTypeOf('string');
  });

  test('is Indexed, and limits the failures of each index, for which its Pods may not restart by themselves', () => {
    expect(spec.completionMode).toBe('Indexed');
    expect(spec.backoffLimitPerIndex).toBeGreaterThan(0);
    expect(pod.restartPolicy).toBe('Never');
  });

  test('tells each Pod a part of its own, and all of them the whole', () => {
    const variables = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    const parts = Array.from({ length: spec.completions }, (_, index) =>
      shardOf('auto', { ...variables, JOB_COMPLETION_INDEX: `${index}` }),
    );
    expect(parts).toEqual(parts.map((_, index) => ({ index: index + 1, of: spec.completions })));
  });

  test('runs a sweep of this version without a shell, so that SIGTERM reaches it, into the volume', () => {
    const said = [...container.command, ...container.args];
    expect(said.slice(0, 3)).toEqual(['node', 'dist/cli/main.js', 'sweep']);
    expect(said[said.indexOf('--shard') + 1]).toBe('auto');
    expect(said[said.indexOf('--out') + 1]).toBe(container.volumeMounts[0].mountPath);
    expect(container.image).toBe(`switchover:${version}`);
  });
});
