import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import { entry } from '../platform/entry.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { answerCalls } from '../platform/thread-calls.ts';
import { usedFiles } from '../platform/used-files.ts';
import { formatAddress } from '../transport/address.ts';
import type { ApiBegun, ApiData } from './api-worker.ts';
import type { Daemon } from './daemon.ts';
import { hostMethods } from './host-methods.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** How long after it has died a thread gets a successor. */
const AGAIN_AFTER_MS = 1_000;
/** For the last answers of a daemon that ends. */
const LAST_ANSWERS_MS = 500;
/** More than views, metrics and watchers ever need. */
const MOST_MEMORY_MIB = 1024;

/**
 * The API in a thread of its own: requests, watchers and scrapes. It never makes the thread of the guests wait, and does
 * not take the guests along if it dies: then another one begins.
 */
export class ApiThread {
  readonly #daemon: Daemon;
  readonly #version: string;
  readonly #log: (line: string) => void;
  #address: Address;
  #worker: Worker | undefined;
  #isOver = false;

  private constructor(daemon: Daemon, version: string, address: Address, log: (line: string) => void) {
    this.#daemon = daemon;
    this.#version = version;
    this.#address = address;
    this.#log = log;
  }

  /** @throws Failure it cannot listen */
  static async start(
    daemon: Daemon,
    version: string,
    address: Address,
    log: (line: string) => void,
  ): Promise<ApiThread> {
    const api = new ApiThread(daemon, version, address, log);
    await api.#begin();
    return api;
  }

  /** Where it listens. */
  get address(): Address {
    return this.#address;
  }

  /** Soon: whoever waits for an answer that is there already still gets it. */
  async end(): Promise<void> {
    this.#isOver = true;
    const worker = this.#worker;
    if (!worker) return;
    const ended = new Promise((resolve) => worker.once('message', resolve).once('exit', resolve));
    worker.postMessage('end');
    await Promise.race([ended, sleep(LAST_ANSWERS_MS, undefined, { ref: false })]);
    await worker.terminate();
  }

  async #begin(): Promise<void> {
    const { settings, configuration } = this.#daemon;
    const { state, limits } = configuration;
    const { port1: here, port2: port } = new MessageChannel();
    const data: ApiData = {
      ...{ settings, version: this.#version, bodyBytes: limits.bodyBytes, listen: this.#address, port },
      records: join(state, 'experiments'),
      use: usedFiles(),
    };
    const worker = new Worker(entry('daemon/api-worker'), {
      workerData: data,
      transferList: [port],
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MIB },
    });
    this.#worker = worker;
    worker.on('error', (error) => this.#log(`the thread of the API has died: ${reasonOf(error)}`));
    answerCalls(here, hostMethods(this.#daemon));
    for (const news of this.#daemon.retold()) here.postMessage(news);
    const unwatch = this.#daemon.events.watch((news) => here.postMessage(news));
    worker.once('exit', () => {
      unwatch();
      here.close();
    });
    const begun = await beginning(worker);
    if ('why' in begun) {
      await worker.terminate();
      throw new Failure(`cannot listen on ${formatAddress(this.#address)}: ${begun.why}`);
    }
    this.#address = { ...this.#address, port: begun.listensOn };
    worker.once('exit', () => void this.#again());
  }

  async #again(): Promise<void> {
    while (!this.#isOver) {
      await sleep(AGAIN_AFTER_MS, undefined, { ref: false });
      try {
        if (!this.#isOver) await this.#begin();
        return;
      } catch (cause) {
        this.#log(`no API: ${reasonOf(cause)}`);
      }
    }
  }
}

/** @throws Failure it has died before it could say anything */
async function beginning(worker: Worker): Promise<ApiBegun> {
  const [message] = await Promise.race([
    once(worker, 'message'),
    once(worker, 'exit').then(() => Promise.reject(new Failure('the thread of the API has ended'))),
  ]);
  return message;
}
