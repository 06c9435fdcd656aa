import { Failure, Refusal, reasonOf } from '../platform/failure.ts';
import { domainOf } from './domain-address.ts';
import { LibvirtMonitor } from './libvirt-monitor.ts';
import { Qmp } from './qmp.ts';
import { virsh } from './virsh.ts';

/** @throws Failure libvirt does not know the domain, it does not run, or it runs on another host */
export async function connectDomain(name: string): Promise<Qmp> {
  try {
    const uuid = await virsh('domuuid', `--domain=${name}`);
    const qmp = Qmp.over(await LibvirtMonitor.open(uuid));
    try {
      await qmp.execute('query-status');
      return qmp;
    } catch (cause) {
      qmp.close();
      throw cause;
    }
  } catch (cause) {
    throw new Failure(`domain ${name}: ${reasonOf(cause)}`);
  }
}

/** @throws Failure libvirt cannot be asked */
export async function domainRuns(name: string): Promise<boolean> {
  const running = await virsh('list', '--uuid', '--name');
  return running.split('\n').some((line) => {
    const [uuid = '', ...words] = line.trim().split(' ');
    return name === uuid || name === words.join(' ').trim();
  });
}

/**
 * libvirt gives a domain to one job at a time, be it a migration, a snapshot or a backup, and takes what QEMU does meanwhile for
 * that job's.
 * @throws Refusal such a job goes on
 */
export async function insistOnNoJob(address: string): Promise<void> {
  const name = domainOf(address);
  if (name === undefined) return;
  const job = /^Job type:\s+(\S+)/m.exec(await virsh('domjobinfo', `--domain=${name}`))?.[1] ?? 'None';
  if (job === 'None') return;
  const remedy = `wait for it, or end it with virsh domjobabort`;
  throw new Refusal(`domain ${name}: a job of libvirt's is under way: ${remedy}`);
}
