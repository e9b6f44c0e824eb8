#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * What an agent measured and could not deliver yet: one small file a batch, in the order they were
 * made, in a folder of its own. Every batch is written before it is sent and removed once it
 * arrived, so that a kill -9 at any moment loses none. Nothing is synced to the disk, which would
 * hold up the probes: after a power cut a torn file may be found, which is dropped and counted.
 * Bounded: what is too much pushes the oldest out, counted too.
 *
 * Life cycle: agent_spool_open takes the folder (one process at a time), agent_spool_close. One
 * thread.
 */
struct agent_spool;

/* ERR_NO: another agent uses the folder. `max`: bytes of all batches. */
int agent_spool_open(const char *dir, int64_t max, struct agent_spool **ret, struct err *e);
void agent_spool_close(struct agent_spool *s); /* keeps the files; NULL is fine */

/* -1: it could not be written (a full disk); it is still the caller's. */
int agent_spool_add(struct agent_spool *s, const struct buf *batch, struct err *e);
/* The oldest one. Its number, and 0 when there is none; those that cannot be read are dropped. */
uint64_t agent_spool_first(struct agent_spool *s, struct buf *ret);
void agent_spool_remove(struct agent_spool *s, uint64_t number); /* unknown: fine */

size_t agent_spool_waiting(const struct agent_spool *s);
int64_t agent_spool_dropped(const struct agent_spool *s); /* since it was opened */
