import { z } from 'zod';
import { channelChanges } from './announcements.ts';
import { timestampSchema } from './fields.ts';
import { freezeScopes } from './freezes.ts';
import type { HubEventName } from './hub-event-names.ts';
import { idSchema } from './ids.ts';
import { fenceSchema } from './methods/claim.ts';
import { questionSchema } from './methods/question.ts';
import { turnStates } from './turn-states.ts';

const askAnswer = { askId: idSchema, agentId: idSchema, note: z.string().nullable() };
const question = { question: questionSchema };
const place = { threadId: idSchema.nullable() };
const claim = { threadId: idSchema, agentId: idSchema, fence: fenceSchema };
const figure = z.int().min(0).nullable();
const freeze = {
  scope: z.enum(freezeScopes),
  id: idSchema.nullable(),
  reason: z.string().nullable(),
};

/**
 * The payloads of the collaboration events that only the hub emits, by name. Each description says when the event
 * occurs.
 */
export const hubEventSchemas = {
  'ask.accepted': z.object(askAnswer).describe('An addressee accepted, by a call or by a reply.'),
  'ask.declined': z.object(askAnswer).describe('An addressee declined.'),
  'ask.done': z.object(askAnswer).describe('An addressee reported that it is done.'),
  'ask.expired': z
    .object({ askId: idSchema, silent: z.array(idSchema) })
    .describe('Once, at the deadline, if somebody neither accepted, declined nor was done.'),
  'question.opened': z.object(question).describe('A question was opened.'),
  'question.voted': z
    .object({
      ...{ questionId: idSchema, agentId: idSchema },
      ...{ optionId: idSchema.nullable(), text: z.string().nullable() },
    })
    .describe('An answer, or a changed one, without a quorum yet.'),
  'question.answered': z.object(question).describe('An option got its quorum, or the text came.'),
  'question.expired': z.object(question).describe('Once, at its expiry. No answer is no refusal.'),
  'question.cancelled': z.object(question).describe('Its opener, an owner or an admin ended it.'),
  'claim.granted': z
    .object({ ...claim, untilMs: timestampSchema })
    .describe('An agent took a thread. Extending a claim emits nothing.'),
  'claim.released': z
    .object({ ...claim, expired: z.boolean() })
    .describe('The holder gave it back, or its lease had ended before the next grant.'),
  'budget.set': z
    .object({ ...place, agentTurns: figure, perMinute: figure })
    .describe('The figures of a channel outside its threads, or of a thread, were changed.'),
  'budget.exhausted': z
    .object({ ...place, used: z.int().min(0), pausedUntilMs: timestampSchema.nullable() })
    .describe('With the message that used the last turn; null: until a person writes.'),
  'freeze.set': z
    .object(freeze)
    .describe('In the log of a frozen channel; other freezes to every connection.'),
  'freeze.lifted': z.object(freeze).describe('As `freeze.set`. Only admins get the reasons there.'),
  'message.delta': z
    .object({ messageId: idSchema, from: z.int().min(0), text: z.string() })
    .describe('New text of a growing message after its first `from` code units. Not in the log.'),
  'turn.state': z
    .object({
      ...{ agentId: idSchema, ...place, state: z.enum(turnStates), label: z.string().nullable() },
      ...{ queueDepth: z.int().min(0).nullable(), untilMs: timestampSchema },
    })
    .describe('What an agent is doing, until `untilMs`; `idle` at its end. Not in the log.'),
  'hub.channel': z
    .object({ channelId: idSchema, name: z.string(), change: z.enum(channelChanges) })
    .describe('A public channel was created, archived or deleted: to every connection, no log.'),
} satisfies Record<HubEventName, z.ZodType>;

/** The payload of an event that only the hub emits. */
export type HubEventPayload<N extends HubEventName> = z.infer<(typeof hubEventSchemas)[N]>;

type InboxEventName =
  | 'ask.accepted'
  | 'ask.declined'
  | 'ask.done'
  | 'ask.expired'
  | 'question.opened'
  | 'question.answered'
  | 'question.expired'
  | 'question.cancelled';

/** The payload of an inbox item's event, with the event's name. */
export type InboxEvent = {
  [N in InboxEventName]: HubEventPayload<N> & { readonly name: N };
}[InboxEventName];
