// What socket workers and the hub say to each other beside the binary frames of hub-frames.ts.

/** Socket worker to hub: it has a Socket.IO namespace now. */
export interface HubNamespaceMessage {
  readonly type: "hub:namespace";
  readonly namespace: string;
}

/** Socket worker to hub: a socket of its is here. Later messages name the socket by `key`. */
export interface HubAttachMessage {
  readonly type: "hub:attach";
  readonly ticket: number;
  readonly key: number;
  readonly namespace: string;
  readonly sid: string;
  readonly pid?: string;
}

/** Socket worker to hub: the socket joined rooms, or left them. */
export interface HubMembershipMessage {
  readonly type: "hub:join" | "hub:leave";
  readonly ticket: number;
  readonly key: number;
  readonly rooms: readonly string[];
}

/** Socket worker to hub: the socket is gone; a recoverable one may return. */
export interface HubDetachMessage {
  readonly type: "hub:detach";
  readonly key: number;
  readonly isRecoverable: boolean;
}

/** Socket worker to hub: what `socket.data` is now (the body). */
export interface HubDataMessage {
  readonly type: "hub:data";
  readonly key: number;
}

export type HubOperation = "disconnect" | "serverSideEmit";

/** Something that every other worker has to do at this place of the order; the body says with what. */
export interface HubOperationMessage {
  readonly type: "hub:operation";
  readonly ticket: number;
  readonly namespace: string;
  readonly operation: HubOperation;
}

/**
 * Socket worker to hub: sockets all over the box join rooms, or leave them, at this place of the order. The hub alone
 * decides which: those that are in the rooms of `target` at this place, as Socket.IO's adapters name them.
 */
export interface HubMoveMessage extends SocketsMove {
  readonly type: "hub:move";
  readonly ticket: number;
}

/** The sockets that are in `target` join the rooms, or leave them. */
export interface SocketsMove {
  readonly namespace: string;
  readonly operation: "join" | "leave";
  readonly target: { readonly rooms: readonly string[]; readonly except: readonly string[] };
  readonly rooms: readonly string[];
}

/** Hub to a worker, the one that asked for it too: these sockets of yours join the rooms now, or leave them. */
export interface HubMovedMessage {
  readonly type: "hub:moved";
  readonly sequence: number;
  readonly namespace: string;
  readonly operation: "join" | "leave";
  readonly sids: readonly string[];
  readonly rooms: readonly string[];
}

/** Socket worker to hub: tell me when you have taken this; what you had to say until then comes before. */
export interface HubSyncMessage {
  readonly type: "hub:sync";
  readonly ticket: number;
}

export type HubQuestion = "fetchSockets" | "serverSideEmit" | "broadcast";

/** A question to every other worker (a `broadcast` goes to those with members of `rooms`), at this place of the order. */
export interface HubAskMessage {
  readonly type: "hub:ask";
  readonly ticket: number;
  readonly namespace: string;
  readonly question: HubQuestion;
  readonly rooms: readonly string[];
}

/** The question as the others get it: who asks is named by slot and ticket. */
export interface HubQuestionMessage {
  readonly type: "hub:question";
  readonly sequence: number;
  readonly from: number;
  readonly ticket: number;
  readonly namespace: string;
  readonly question: HubQuestion;
}

/** An answer on its way to the asker. A worker may answer in parts; the last one says so. */
export interface HubAnswerMessage {
  readonly type: "hub:answer";
  readonly to: number;
  readonly ticket: number;
  readonly isLast: boolean;
}

/** Hub to asker: so many workers were asked, at the place of `passed`. */
export interface HubAskedMessage {
  readonly type: "hub:asked";
  readonly ticket: number;
  readonly workers: number;
}

/** Hub to asker: one answer (the body), or the news that a worker will not answer any more, because it has said all or died. */
export interface HubAnsweredMessage {
  readonly type: "hub:answered";
  readonly ticket: number;
  readonly hasBody: boolean;
  readonly isLast: boolean;
}

/** Socket worker to hub: a client shows a session id and a position and wants to go on where it was. */
export interface HubRestoreMessage {
  readonly type: "hub:restore";
  readonly key: number;
  readonly namespace: string;
  readonly pid: string;
  readonly position: string;
}

/** The hub's word on a restore: the body holds the data and the missed messages, or the session is not to be had. */
export interface HubRestoredMessage {
  readonly type: "hub:restored";
  readonly key: number;
  readonly sequence: number;
  /** Why not, or the session. */
  readonly outcome: "unknown" | "expired" | "trimmed" | { readonly sid: string; readonly rooms: readonly string[] };
  /** Lengths of the parts of the body: the data first, then each missed message. */
  readonly parts: readonly number[];
}

/** Hub to the worker that has the socket: its client has returned elsewhere, close the old connection. */
export interface HubEvictMessage {
  readonly type: "hub:evict";
  readonly namespace: string;
  readonly sid: string;
  readonly key: number;
}

/** Hub to a worker that joins the box. */
export interface HubWelcomeMessage {
  readonly type: "hub:welcome";
  readonly epoch: string;
  readonly sequence: number;
}

/** Hub to workers: how many of them there are now. */
export interface HubWorkersMessage {
  readonly type: "hub:workers";
  readonly count: number;
}

/** An operation as the others get it. */
export interface HubOrderedMessage {
  readonly type: "hub:ordered";
  readonly sequence: number;
  readonly namespace: string;
  readonly operation: HubOperation;
}

/** What socket workers say to the hub. */
export type HubUpMessage =
  | HubNamespaceMessage
  | HubAttachMessage
  | HubMembershipMessage
  | HubDetachMessage
  | HubDataMessage
  | HubOperationMessage
  | HubMoveMessage
  | HubSyncMessage
  | HubAskMessage
  | HubAnswerMessage
  | HubRestoreMessage;

/** What the hub says to socket workers. */
export type HubDownMessage =
  | HubWelcomeMessage
  | HubWorkersMessage
  | HubOrderedMessage
  | HubMovedMessage
  | HubQuestionMessage
  | HubAskedMessage
  | HubAnsweredMessage
  | HubRestoredMessage
  | HubEvictMessage;

export const HUB_MESSAGE_TYPES: Record<(HubUpMessage | HubDownMessage)["type"], true> = {
  "hub:namespace": true,
  "hub:attach": true,
  "hub:join": true,
  "hub:leave": true,
  "hub:detach": true,
  "hub:data": true,
  "hub:operation": true,
  "hub:move": true,
  "hub:sync": true,
  "hub:moved": true,
  "hub:ask": true,
  "hub:question": true,
  "hub:answer": true,
  "hub:asked": true,
  "hub:answered": true,
  "hub:restore": true,
  "hub:restored": true,
  "hub:evict": true,
  "hub:welcome": true,
  "hub:workers": true,
  "hub:ordered": true,
};
