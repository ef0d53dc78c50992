//! A certificate for 127.0.0.1 that is trusted only by programs configured to do so.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub struct Certificate {
    pub file: PathBuf,
    pub key_file: PathBuf,
}

impl Certificate {
    pub fn new(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
        let certificate =
            Self { file: folder.join("certificate.pem"), key_file: folder.join("key.pem") };
        fs::write(&certificate.file, made.cert.pem()).expect("written");
        fs::write(&certificate.key_file, made.signing_key.serialize_pem()).expect("written");
        certificate
    }
}
