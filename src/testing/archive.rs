//! What an archive's body promises to whoever reads it: [`ArchiveBody`].

use sha2::{Digest, Sha256};

use crate::ports::{ArchiveBody, SourceArchive};

/// The whole suite, for an archive of which nothing was read yet; gives its bytes.
pub async fn all(archive: &mut SourceArchive) -> Vec<u8> {
    let whole = read(&mut *archive.body).await;
    assert!(archive.body.next().await.unwrap().is_none(), "broken: behind the end there is nothing more");
    archive.body.rewind().await.expect("broken: an archive can be read again from its start");
    assert_eq!(read(&mut *archive.body).await, whole, "broken: an archive reads the same again");
    // Whoever could not hand all of it on begins anew.
    archive.body.rewind().await.unwrap();
    archive.body.next().await.unwrap();
    archive.body.rewind().await.unwrap();
    assert_eq!(read(&mut *archive.body).await, whole, "broken: whoever has read a part begins at the start again");
    assert_eq!(u64::try_from(whole.len()).unwrap(), archive.length, "broken: an archive has the length that it says");
    let digest: String = Sha256::digest(&whole).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(archive.sha256, digest, "broken: the SHA-256 is that of the bytes, in lower-case hexadecimal digits");
    whole
}

async fn read(body: &mut dyn ArchiveBody) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await.expect("broken: an archive can be read to its end") {
        assert!(!piece.is_empty(), "broken: a piece that is none is no piece");
        bytes.extend_from_slice(&piece);
    }
    bytes
}
