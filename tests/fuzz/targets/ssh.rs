//! Keys and signatures as SSH writes them, and what an agent answers.

use chat_proto::{Credential, PublicKey, SshKey, SshSignature, put_ssh_string, ssh_ed25519_key};

use chat_client::is_agent_answer;

use super::{Target, holds};

pub(crate) fn keys() -> Target {
    let strings = |parts: &[&[u8]]| {
        let mut bytes = Vec::new();
        parts.iter().for_each(|part| put_ssh_string(&mut bytes, part));
        bytes
    };
    let point = [&[4][..], &[7; 64]].concat();
    let valid = vec![
        ssh_ed25519_key(&PublicKey([9; 32])),
        strings(&[b"ecdsa-sha2-nistp256", b"nistp256", &point]),
        strings(&[b"sk-ssh-ed25519@openssh.com", &[8; 32], b"ssh:"]),
    ];
    Target {
        name: "SSH keys",
        corpus: include_str!("../corpus/ssh_keys.hex"),
        valid,
        check: |input| {
            let Some(key) = SshKey::read(input) else { return Ok(()) };
            // The same key twice is the same credential; another writing of it would be a second one.
            let native = match key {
                SshKey::Ed25519(key) => ssh_ed25519_key(&key) == input,
                SshKey::EcdsaP256(point) => point[0] == 4,
                SshKey::SkEd25519 { .. } => true,
            };
            holds(native, || "it can be written in two ways".to_owned())?;
            let credential = key.credential(input);
            let parts = Credential::from_parts(credential.kind() as u16, *credential.bytes());
            holds(parts == Some(credential), || format!("{credential:?} is none"))
        },
        is_taken: |input| SshKey::read(input).is_some(),
    }
}

pub(crate) fn signatures() -> Target {
    let mut ed25519 = Vec::new();
    put_ssh_string(&mut ed25519, b"ssh-ed25519");
    put_ssh_string(&mut ed25519, &[5; 64]);
    let mut numbers = Vec::new();
    put_ssh_string(&mut numbers, &[0x7F; 32]);
    put_ssh_string(&mut numbers, &[&[0][..], &[0x80; 32]].concat());
    let mut ecdsa = Vec::new();
    put_ssh_string(&mut ecdsa, b"ecdsa-sha2-nistp256");
    put_ssh_string(&mut ecdsa, &numbers);
    let mut security_key = Vec::new();
    put_ssh_string(&mut security_key, b"sk-ssh-ed25519@openssh.com");
    put_ssh_string(&mut security_key, &[5; 64]);
    security_key.extend([1, 0, 0, 0, 9]);
    Target {
        name: "SSH signatures",
        corpus: include_str!("../corpus/ssh_signatures.hex"),
        valid: vec![ed25519, ecdsa, security_key],
        check: |input| {
            let _signature = SshSignature::read(input);
            Ok(())
        },
        is_taken: |input| SshSignature::read(input).is_some(),
    }
}

pub(crate) fn agent() -> Target {
    let key = ssh_ed25519_key(&PublicKey([9; 32]));
    let mut keys = vec![12];
    keys.extend(2_u32.to_be_bytes());
    for comment in ["ada@example", ""] {
        put_ssh_string(&mut keys, &key);
        put_ssh_string(&mut keys, comment.as_bytes());
    }
    let mut signature = Vec::new();
    put_ssh_string(&mut signature, b"ssh-ed25519");
    put_ssh_string(&mut signature, &[5; 64]);
    let mut signed = vec![14];
    put_ssh_string(&mut signed, &signature);
    Target {
        name: "agent answers",
        corpus: include_str!("../corpus/agent.hex"),
        valid: vec![keys, signed],
        check: |input| {
            let _is_one = is_agent_answer(input);
            Ok(())
        },
        is_taken: is_agent_answer,
    }
}
