-- A room is a log, and so is an account, and the server has one of its own. Ids of rooms and accounts are one count of both, permuted under the secret:
-- they tell neither order nor number.
-- `events` is the truth, but for what stands in no event and cannot be made again from them:
-- `link_codes` (good for ten minutes) and `secrets`. The other tables say where its events
-- are and where they have led to, and spare a start the reading of all events. But for `blocks` and
-- `nonces`, they are written in the same transaction.

CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far in the order of commands this is: one row, which every commit overwrites.
CREATE TABLE progress (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  place      INTEGER NOT NULL, -- the last command that was carried out; they are counted from 1
  digest     INTEGER NOT NULL, -- of all that came of the commands up to there; the same on every machine, signed here
  last_event INTEGER NOT NULL, -- of `events`; the newest there was with it
  submitters TEXT NOT NULL,    -- '1:57 12:4': submission 57 of submitter 1 is the last here, and 4 of 12
  ids_given  INTEGER NOT NULL  -- to rooms and accounts, those that are gone among them
) STRICT;

-- What ids and digests follow from, as it came with the command that began the logs: machines that
-- share one order share it. Whoever has it can tell what is derived from it.
CREATE TABLE secrets (
  name  TEXT NOT NULL PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  name_keys  BLOB NOT NULL, -- they came with the name, and say which other names collide with it
  created_ts INTEGER NOT NULL, -- milliseconds of UTC since 1970, like every ts
  disabled   TEXT, -- why nobody signs in to it, which may be empty; NULL: its owner does
  administrator INTEGER NOT NULL DEFAULT 0, -- 1: of the server
  known      INTEGER NOT NULL DEFAULT 0 -- 1: the log of a public room has told of it, so that everybody may know its name
) STRICT;

-- What accounts sign in with.
CREATE TABLE credentials (
  id         INTEGER PRIMARY KEY,
  account    INTEGER NOT NULL REFERENCES accounts,
  kind       INTEGER NOT NULL, -- as in the protocol; 1: an Ed25519 key, 3: an ECDSA key on P-256, 4: a security key
  bytes      BLOB NOT NULL, -- of 1 the key, of 3 and 4 its SHA-256 as `ssh-keygen -l` shows it
  label      TEXT NOT NULL, -- what the device calls itself; empty of an account's first
  created_ts INTEGER NOT NULL,
  removed_ts INTEGER, -- not NULL: it was revoked, and signs in no more
  UNIQUE (bytes, kind)
) STRICT;

-- Accounts of programs, which sign in with a token.
CREATE TABLE bots (
  account    INTEGER PRIMARY KEY REFERENCES accounts,
  can        TEXT NOT NULL, -- 'send,read': what the token is for
  expires_ts INTEGER NOT NULL -- from when on it is good for nothing; 0: never
) STRICT;

-- The newest code of an account with which another device may be linked to it.
CREATE TABLE link_codes (
  account    INTEGER PRIMARY KEY REFERENCES accounts,
  hash       BLOB NOT NULL UNIQUE, -- SHA-256; the code itself is nowhere
  created_ts INTEGER NOT NULL,
  used       INTEGER NOT NULL -- 1: a device was linked with it
) STRICT;

-- A conversation of two is called '@' and both ids, as no room can be.
CREATE TABLE rooms (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  name_keys  BLOB NOT NULL,
  created_ts INTEGER NOT NULL,
  permanent  INTEGER NOT NULL, -- 1: it stays also when nobody is in it and nothing was said
  private    INTEGER NOT NULL, -- 1: only its members, and who is invited, know of it
  read_only  INTEGER NOT NULL DEFAULT 0, -- 1: only its moderators and owners post
  topic      TEXT NOT NULL DEFAULT ''
) STRICT;

-- Rooms that are gone, and whose events are still to be deleted: that is done a second later or two, as
-- far as `blocks` knows them. `meta` says how many events went so, as `removed_events`.
CREATE TABLE removed_rooms (
  id   INTEGER PRIMARY KEY,
  head INTEGER NOT NULL -- the seq of its last event
) STRICT;

CREATE TABLE members (
  room    INTEGER NOT NULL REFERENCES rooms,
  account INTEGER NOT NULL REFERENCES accounts,
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;

-- Who is more than a member: 2, a moderator; 3, an owner.
CREATE TABLE roles (
  room    INTEGER NOT NULL REFERENCES rooms,
  account INTEGER NOT NULL REFERENCES accounts,
  role    INTEGER NOT NULL,
  since   INTEGER NOT NULL, -- the seq of the event that gave it
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;

-- Who may join a room that it does not know of otherwise.
CREATE TABLE invited (
  room    INTEGER NOT NULL REFERENCES rooms,
  account INTEGER NOT NULL REFERENCES accounts,
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;

-- Whom the log of a private room tells of, but for those that are `known`: their names are for those
-- who read it.
CREATE TABLE named (
  room    INTEGER NOT NULL REFERENCES rooms,
  account INTEGER NOT NULL REFERENCES accounts,
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX named_by_account ON named (account);

-- The invitations that are open; those that have expired go when the next one is made. Of a code only its
-- hash is here: whoever reads this comes in with none.
CREATE TABLE invitations (
  id         INTEGER PRIMARY KEY, -- made of the hash
  hash       BLOB NOT NULL,
  account    INTEGER NOT NULL, -- who has made it; 0: the operator
  uses_left  INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL,
  rooms      TEXT NOT NULL, -- ids with a space between them, rising
  name       TEXT NOT NULL
) STRICT;

-- What accounts are kept from in rooms. Those that are over go when another of their kind comes to the room.
CREATE TABLE sanctions (
  room    INTEGER NOT NULL REFERENCES rooms,
  kind    INTEGER NOT NULL, -- 1: a ban, 2: a mute
  account INTEGER NOT NULL REFERENCES accounts,
  done_by INTEGER NOT NULL, -- 0: the operator, who has no account
  since   INTEGER NOT NULL,
  until   INTEGER NOT NULL, -- 0: it does not end by itself
  reason  TEXT NOT NULL,
  PRIMARY KEY (room, kind, account)
) STRICT, WITHOUT ROWID;

-- Rooms in which members wait behind each message.
CREATE TABLE slow_rooms (
  room    INTEGER PRIMARY KEY REFERENCES rooms,
  seconds INTEGER NOT NULL
) STRICT;

-- Who has spoken there since, and when last.
CREATE TABLE slow_posts (
  room    INTEGER NOT NULL REFERENCES rooms,
  account INTEGER NOT NULL REFERENCES accounts,
  ts      INTEGER NOT NULL,
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;

-- The outboxes that messages came from: kept for ever. The first message of one binds it to its room.
CREATE TABLE streams (
  id      INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES accounts,
  stream  BLOB NOT NULL,
  room    INTEGER NOT NULL,
  UNIQUE (account, stream)
) STRICT;

-- No index and no foreign key: both are paid for with each row. `blocks` and `nonces` find an
-- event, with one row for all that a while brings to a log or a stream. They are written for many
-- commits at once, a second later or two: `meta` says up to which id, as `indexed`. Nothing behind
-- it may be deleted, nor the newest of all: its place would be taken another time.
CREATE TABLE events (
  id         INTEGER PRIMARY KEY, -- counts all events ever; a commit's are together by log, its newest last
  log        INTEGER NOT NULL, -- of `rooms` or `accounts`; 70368744177664 (2^46) is the server's own
  seq        INTEGER NOT NULL, -- gapless in its log, from 1
  ts         INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  account    INTEGER, -- who did it, or whom it is about
  room       INTEGER, -- in an account's log: where
  name       TEXT,
  text       TEXT,
  credential BLOB, -- in an account's log: the kind in two bytes, little endian, and the bytes of `credentials`
  message_id BLOB,
  stream     INTEGER, -- of `streams`; together with n: the sender's nonce
  n          INTEGER,
  digest     INTEGER, -- of the room and the whole message; it stays when the text is taken away
  text_kind  INTEGER, -- as in the protocol, NULL for 1: somebody says it
  reply_to   INTEGER, -- the seq of an event of the same room
  done_by    INTEGER, -- who did it, where account says whom it is about
  number     INTEGER, -- a figure: of 'role_set' the role, of 'banned' and 'muted' the time of the end, of 'slow_set' seconds; of what is set or not, 1 or 0
  invitation INTEGER, -- its id, which stays when it is not open any more
  uses       INTEGER, -- how many accounts may be made with it
  expires_ts INTEGER
) STRICT;

-- Where a log's events are: `events` of them, seqs from first_seq on, under ids from first_id on.
-- The last block of a log says how far it has come, as far as the blocks do. It stays, whatever
-- becomes of the events.
CREATE TABLE blocks (
  log       INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  first_id  INTEGER NOT NULL,
  events    INTEGER NOT NULL,
  last_post INTEGER NOT NULL, -- the seq of the log's newest message up to the block's end, or 0
  PRIMARY KEY (log, first_seq)
) STRICT, WITHOUT ROWID;

-- Where a stream's messages are: first_n is the event first_id, and each of `steps` (LEB128 of the
-- zigzagged difference of ids) leads on to the event of the next n, up to last_n. What lies between two
-- runs was refused. The last run of a stream says how far it has been posted, as far as the runs do. It
-- stays, too.
CREATE TABLE nonces (
  stream   INTEGER NOT NULL,
  first_n  INTEGER NOT NULL,
  last_n   INTEGER NOT NULL,
  first_id INTEGER NOT NULL,
  steps    BLOB NOT NULL,
  PRIMARY KEY (stream, first_n)
) STRICT, WITHOUT ROWID;

-- For people: sqlite3 -readonly chatd.db 'SELECT * FROM messages'
CREATE VIEW messages AS
SELECT
  strftime('%Y-%m-%d %H:%M:%S', events.ts / 1000, 'unixepoch')
    || printf('.%03dZ', events.ts % 1000) AS time,
  CASE WHEN rooms.name LIKE '@%' THEN '' ELSE '#' END || rooms.name AS room,
  events.seq AS seq,
  accounts.name AS sender,
  CASE events.text_kind WHEN 2 THEN 'action' WHEN 3 THEN 'notice' ELSE 'say' END AS kind,
  events.reply_to AS reply_to,
  events.text AS text,
  lower(hex(events.message_id)) AS message_id
FROM events
JOIN rooms ON rooms.id = events.log
JOIN accounts ON accounts.id = events.account
WHERE events.kind = 'posted'
ORDER BY events.id;

-- The events that `blocks` and `nonces` do not know yet.
CREATE VIEW unindexed AS
SELECT * FROM events WHERE id > coalesce((SELECT value FROM meta WHERE key = 'indexed'), 0);

-- For people: how far each log has come.
CREATE VIEW logs AS
SELECT
  begun.id AS id,
  coalesce(
    newest.seq,
    (SELECT first_seq + events - 1 FROM blocks
     WHERE blocks.log = begun.id ORDER BY first_seq DESC LIMIT 1), 0) AS head
FROM (SELECT id FROM rooms UNION ALL SELECT id FROM accounts UNION ALL SELECT 70368744177664) AS begun
LEFT JOIN (SELECT log, max(seq) AS seq FROM unindexed GROUP BY log) AS newest
  ON newest.log = begun.id;

-- For people: how far each outbox has been posted.
CREATE VIEW outboxes AS
SELECT
  streams.id AS id,
  account,
  room,
  lower(hex(streams.stream)) AS stream,
  max(
    coalesce(newest.n, 0),
    coalesce((SELECT last_n FROM nonces
              WHERE nonces.stream = streams.id ORDER BY first_n DESC LIMIT 1), 0)
  ) AS high_water
FROM streams
LEFT JOIN (SELECT stream, max(n) AS n FROM unindexed WHERE n IS NOT NULL GROUP BY stream) AS newest
  ON newest.stream = streams.id;
