/**
 * Look-ups at once: small questions that a hub cannot go on without (who may, what rooms deliver, which token is
 * revoked). Like what keeps it going they have a thread or connections of their own, apart from what agents read; what
 * keeps it going waits behind no more than these.
 */
export const lookUpsAtOnce = 3;
