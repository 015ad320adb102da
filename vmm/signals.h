/* SPDX-License-Identifier: MIT */
#ifndef VMM_SIGNALS_H
#define VMM_SIGNALS_H

/* SIGINT, SIGTERM and SIGHUP arrive through the descriptor (signalfd(2)) that
 * this returns; SIGPIPE is an error of the write. Before any thread starts. */
int signals_catch(void);

#endif
