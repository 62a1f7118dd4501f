/**
 * Look-ups at once: small queries that a hub cannot go on without (rights, what rooms deliver, revoked tokens). They share
 * a thread, or connections, with the system calls and never with agents' reads; a system call waits behind at most this
 * many of them.
 */
export const lookUpsAtOnce = 3;
