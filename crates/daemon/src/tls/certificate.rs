//! The certificate that the daemon shows: that of two files, or one of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::sign::CertifiedKey;

use super::self_signed;
use crate::Config;

/// Longer files are no certificate, nor a key.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Where a certificate is, in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFiles {
    /// The certificate, and those that lead from it to a known authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Says why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{} cannot be read: {cause}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// What is in a file is not what should be there.
    #[error("{} has no {what} in PEM (-----BEGIN …-----): {cause}", .path.display())]
    NotPem {
        /// Which.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
        /// Why it is none.
        cause: pem::Error,
    },
    /// The two do not go together, or cannot be used.
    #[error("the certificate of {} and the key of {} are of no use: {cause}", .files.certificate.display(), .files.key.display())]
    Unusable {
        /// Where both are.
        files: CertificateFiles,
        /// Why not.
        cause: rustls::Error,
    },
    /// None was configured, and none could be made.
    #[error("no certificate can be made: {0}")]
    NotMade(String),
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct TlsCertificate {
    pub(super) key: Arc<CertifiedKey>,
}

impl TlsCertificate {
    /// That of the files that are configured, or one of the daemon's own. A disk that hangs is waited
    /// for.
    ///
    /// # Errors
    /// [`CertificateError`] says which file is not what it should be.
    pub fn of(config: &Config) -> Result<Self, CertificateError> {
        config.certificate.as_ref().map_or_else(Self::make, Self::load)
    }

    fn make() -> Result<Self, CertificateError> {
        let failed = |why: String| CertificateError::NotMade(why);
        let (certificate, key) = self_signed::make().map_err(|error| failed(error.to_string()))?;
        let key = certified(vec![certificate], key).map_err(|error| failed(error.to_string()))?;
        Ok(Self { key: Arc::new(key) })
    }

    fn load(files: &CertificateFiles) -> Result<Self, CertificateError> {
        let chain = read(&files.certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
        let no_pem = |path: &Path, what| {
            let path = path.to_owned();
            move |cause| CertificateError::NotPem { path, what, cause }
        };
        let chain = chain.map_err(no_pem(&files.certificate, "certificate"))?;
        if chain.is_empty() {
            return Err(no_pem(&files.certificate, "certificate")(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?);
        let key = key.map_err(no_pem(&files.key, "private key without a passphrase"))?;
        let certified = certified(chain, key);
        let certified = certified
            .map_err(|cause| CertificateError::Unusable { files: files.clone(), cause })?;
        Ok(Self { key: Arc::new(certified) })
    }
}

/// The two, when the key is that of the first certificate.
fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, rustls::Error> {
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let unreadable = |cause| CertificateError::Unreadable { path: path.to_owned(), cause };
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() || about.len() > FILE_BYTES_MAX {
        return Err(unreadable(io::Error::other("it is no file of such a kind")));
    }
    fs::read(path).map_err(unreadable)
}
