import { setDeadline, setFifo, setNice } from '../../build/src/platform/thread-scheduling.js';

/** A thread that asks for all that there is to ask for, and ends. */
setNice(5);
setFifo(1);
setDeadline({ budgetNs: 20e6, periodNs: 10e6 }, { reclaim: false });
