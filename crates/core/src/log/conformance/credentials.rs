//! Credentials: what is added signs in, what was revoked is remembered, and so are link codes.

use chat_proto::{Credential, LinkCodeHash, PublicKey};

use super::{ADA, ADA_KEY, BOB, BOB_KEY, Disk, append, event, settled};
use crate::{Content, CredentialRow, LinkRow, Store};

const LAPTOP: Credential = Credential::Key(PublicKey([0x1A; 32]));
const PHONE: Credential = Credential::Key(PublicKey([0x1B; 32]));
const CODES: [LinkCodeHash; 2] = [LinkCodeHash([0xC0; 32]), LinkCodeHash([0xC1; 32])];

fn added(credential: Credential, label: &str) -> Content {
    Content::CredentialAdded { credential, label: label.to_owned() }
}

pub(super) fn credentials_follow_the_events<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let removed = |credential| Content::CredentialRemoved { credential };
    let of_ada = [
        Content::LinkOpened { code: CODES[0] },
        added(LAPTOP, "laptop"),
        added(PHONE, "phone"),
        Content::LinkOpened { code: CODES[1] },
        removed(ADA_KEY),
        removed(LAPTOP),
        added(LAPTOP, "laptop again"),
    ];
    let mut times = Vec::new();
    for (seq, content) in (3..).zip(of_ada) {
        let event = event(ADA, seq, content);
        times.push(event.ts);
        append(&mut store, fact, &event);
    }
    append(&mut store, fact, &event(BOB, 3, Content::LinkOpened { code: CODES[0] }));
    store.commit().expect(fact);
    drop(store);

    let snapshot = disk.open().recover().expect(fact);
    let of_ada = snapshot.credentials.iter().filter(|row| row.account == ADA && !row.is_revoked);
    let row = |credential, label: &str, added| {
        let first = CredentialRow::first(ADA, credential, added);
        CredentialRow { label: label.to_owned(), ..first }
    };
    let expected = [row(PHONE, "phone", times[2]), row(LAPTOP, "laptop again", times[6])];
    assert!(of_ada.eq(&expected), "{fact}: in the order in which they were added");
    let revoked: Vec<_> = snapshot.credentials.iter().filter(|row| row.is_revoked).collect();
    assert_eq!(revoked.len(), 1, "{fact}: {revoked:?}");
    assert_eq!((revoked[0].account, revoked[0].credential), (ADA, ADA_KEY), "{fact}");
    assert!(snapshot.credentials.iter().any(|row| row.credential == BOB_KEY), "{fact}");
    let mut links = snapshot.links;
    links.sort();
    let newest = LinkRow { account: ADA, code: CODES[1], opened: times[3], is_used: true };
    assert_eq!(links.len(), 2, "{fact}: the newest of each");
    assert_eq!(links[0], newest, "{fact}: whatever was linked since has used it up");
    assert_eq!(
        (links[1].account, links[1].code, links[1].is_used),
        (BOB, CODES[0], false),
        "{fact}"
    );
}
