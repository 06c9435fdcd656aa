import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import type { Reservation } from '../core/cpu/reservation.ts';
import type { PredictedMachine } from '../core/machine-costs.ts';
import { type BytesPerSecond, expected } from '../core/units.ts';
import { insisting } from '../scenario/checked.ts';
import type { RequestedMigrationDocument } from '../scenario/migration-request.ts';
import { byPath } from '../scenario/settings.ts';
import type { Target } from '../scenario/target.ts';
import type { FeasiblePlan } from '../study/plan/answer.ts';
import { settled } from '../study/plan/plan-subject.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import { type Admission, NotAdmitted } from './admission.ts';
import type { MigrationRequestBody } from './api-schemas.ts';
import type { HostCpu } from './host-cpu.ts';
import type { Mover } from './mover.ts';
import type { MigrationRequest } from './planned-migration.ts';
import { Planning } from './planning.ts';
import { TargetOutOfReach } from './target-out-of-reach.ts';
import type { PlannedTarget } from './target-schemas.ts';
import { otherLoad } from './virtual-estimate.ts';

/** Certificates of one daemon and of another are of the same migrations, so that they can be repeated. */
const SEED = 1;

interface TargetPlansParts {
  /** Who moves a guest of this name. */
  readonly moverOf: (guest: string) => Mover;
  readonly admission: Admission;
  readonly cpu: HostCpu;
  /** Whose costs are added; undefined: nobody's. */
  readonly machine: () => PredictedMachine | undefined;
}

/** A migration that is asked for by a target: what it reserves is still to be planned. */
export interface TargetedRequest extends Omit<MigrationRequest, 'migration' | 'target'> {
  readonly target: Target;
  readonly asked: Pick<MigrationRequestBody, 'link' | 'migration' | 'sender' | 'cpu' | 'background'>;
}

/** What was planned, and for what guest. */
export interface PlannedRequest {
  readonly request: MigrationRequest;
  readonly definition: GuestDefinition;
}

/** Plans migrations for targets, with what host and link have left at that moment. */
export class TargetPlans {
  readonly #parts: TargetPlansParts;
  readonly #planning = new Planning();

  constructor(parts: TargetPlansParts) {
    this.#parts = parts;
  }

  /**
   * The migration with what was chosen for it.
   * @param id by which planning can be cancelled
   * @throws UsageError all that is wrong with it
   * @throws NotFound no such guest
   * @throws NotAdmitted the target cannot be kept, or the daemon is about to end
   * @throws Failure it was cancelled
   */
  async planned(id: string, { target, asked, ...request }: TargetedRequest): Promise<PlannedRequest> {
    const { moverOf, admission, cpu, machine } = this.#parts;
    if (admission.isDraining) throw new NotAdmitted('draining', 'this daemon is about to end');
    const mover = moverOf(request.guest);
    const { capacity, capacityFrom } = this.#left(request.link, asked);
    const document = { ...asked, link: { ...asked.link, rate: capacity, stopRate: capacity } };
    const room = (most: KeptReservation): Reservation => {
      const part = cpu.roomFor(most);
      if (part) return part;
      throw new NotAdmitted('cpu', cpu.whyNot([most]));
    };
    const definition = await mover.known(id, { ...request, migration: document });
    const host = { capacity, capacityFrom, room, machine: machine() };
    const problem = mover.problem({ definition, request: document, target, ...host });
    const answer = await this.#planning.plan(id, problem, SEED);
    if (!answer.feasible) throw new TargetOutOfReach(answer);
    const planned = { migration: chosen(document, answer), target: plannedTargetOf(answer, mover) };
    return { request: { ...request, ...planned }, definition };
  }

  /** Nobody waits for this plan any more. */
  cancel(id: string): void {
    this.#planning.cancel(id);
  }

  /** The daemon is about to end. */
  end(): void {
    this.#planning.end();
  }

  /** What b and b_d are taken of: what others have left of the link, or where none limits it, the rates of the request. */
  #left(link: MigrationRequest['link'], { link: asked, sender }: TargetedRequest['asked']) {
    const { rate, stopRate } = asked;
    insisting((insist) => {
      const planned = 'nothing beside a target, for which it is planned';
      insist(sender.reservation === undefined, 'sender.reservation', planned, sender.reservation);
      if (link) {
        insist(rate === undefined, 'link.rate', planned, rate);
        insist(stopRate === undefined, 'link.stopRate', planned, stopRate);
      } else {
        const most = `${expected.rate}, of which a target’s rates are taken; or \`over\`, a link of the configuration`;
        insist(typeof rate === 'number', 'link.rate', most, rate);
        insist(stopRate !== null, 'link.stopRate', expected.rate, 'unlimited');
      }
    });
    if (!link) return { capacity: Math.max(rate as number, stopRate ?? 0), capacityFrom: 'link.rate' };
    const { name, capacityBytesPerSecond } = link;
    const reserved = this.#reservedOf(name);
    const capacity = capacityBytesPerSecond - reserved;
    if (capacity > 0) return { capacity, capacityFrom: `link '${name}', as much as others leave of it` };
    throw new NotAdmitted('link', `link '${name}': all of it is reserved`);
  }

  #reservedOf(link: string): BytesPerSecond {
    return this.#parts.admission.links().find(({ name }) => name === link)?.reservedBytesPerSecond ?? 0;
  }
}

/** The request as if the plan had been asked for. Who keeps the sender's reservation is what was planned for. */
function chosen(document: RequestedMigrationDocument, { settings, choice }: FeasiblePlan) {
  const { scheduler = 'cbs-hard' } = document.cpu;
  const { cpu, ...rest } = settled(document, settings);
  return { ...rest, cpu: choice.sender ? { ...cpu, scheduler } : cpu };
}

function plannedTargetOf(
  { target, settings, certificate, sensitivity, migrations, leftOut, ...medians }: FeasiblePlan,
  mover: Mover,
): PlannedTarget {
  const { downtimeNs, totalNs } = medians;
  return {
    clauses: target,
    settings: byPath(settings.filter(({ path }) => path !== 'guest.reservation')),
    expected: { downtimeNs, totalNs },
    ...{ certificate, sensitivity, migrations },
    leftOut: [...leftOut, ...mover.leftOut.planned, ...otherLoad()],
  };
}
