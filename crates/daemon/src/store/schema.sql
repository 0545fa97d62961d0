-- A room is a log, and so is an account; both draw their ids from one sequence.
-- `events` is the truth. The other tables say where it has led to, are written in the same
-- transaction, and spare a start the reading of all events.

CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
  id   INTEGER PRIMARY KEY,
  head INTEGER NOT NULL -- the seq of the newest event
) STRICT;

CREATE TABLE accounts (
  id         INTEGER PRIMARY KEY REFERENCES logs,
  key        BLOB NOT NULL UNIQUE, -- Ed25519
  name       TEXT NOT NULL,
  created_ts INTEGER NOT NULL -- milliseconds of UTC since 1970, like every ts
) STRICT;

CREATE TABLE rooms (
  id         INTEGER PRIMARY KEY REFERENCES logs,
  name       TEXT NOT NULL UNIQUE,
  created_ts INTEGER NOT NULL
) STRICT;

CREATE TABLE members (
  room    INTEGER NOT NULL REFERENCES rooms,
  account INTEGER NOT NULL REFERENCES accounts,
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;

-- The outboxes that messages came from, and how far each has been decided: kept for ever.
CREATE TABLE streams (
  id         INTEGER PRIMARY KEY,
  account    INTEGER NOT NULL REFERENCES accounts,
  stream     BLOB NOT NULL,
  high_water INTEGER NOT NULL,
  UNIQUE (account, stream)
) STRICT;

CREATE TABLE events (
  id         INTEGER PRIMARY KEY, -- counts all events ever, in the order of their commits
  log        INTEGER NOT NULL REFERENCES logs,
  seq        INTEGER NOT NULL, -- gapless in its log, from 1
  ts         INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  account    INTEGER REFERENCES accounts, -- who did it, or whom it is about
  room       INTEGER REFERENCES rooms, -- in an account's log: where
  name       TEXT,
  text       TEXT,
  message_id BLOB,
  stream     INTEGER REFERENCES streams, -- together with n: the sender's nonce
  n          INTEGER,
  UNIQUE (log, seq)
) STRICT;

CREATE UNIQUE INDEX events_by_nonce ON events (stream, n) WHERE stream IS NOT NULL;

CREATE TABLE refused_sends (
  stream INTEGER NOT NULL REFERENCES streams,
  n      INTEGER NOT NULL,
  code   INTEGER NOT NULL, -- as in the protocol
  digest BLOB NOT NULL, -- of the room and the text
  PRIMARY KEY (stream, n)
) STRICT, WITHOUT ROWID;

-- For people: sqlite3 -readonly chatd.db 'SELECT * FROM messages'
CREATE VIEW messages AS
SELECT
  strftime('%Y-%m-%d %H:%M:%S', events.ts / 1000, 'unixepoch')
    || printf('.%03dZ', events.ts % 1000) AS time,
  '#' || rooms.name AS room,
  events.seq AS seq,
  accounts.name AS sender,
  events.text AS text,
  lower(hex(events.message_id)) AS message_id
FROM events
JOIN rooms ON rooms.id = events.log
JOIN accounts ON accounts.id = events.account
WHERE events.kind = 'posted'
ORDER BY events.id;
