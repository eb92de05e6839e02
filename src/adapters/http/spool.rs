//! A body, spooled to a file without a name: hashed on the way, bounded, readable again from the start.

use std::io::{Error, ErrorKind, SeekFrom};
use std::path::Path;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::Response;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::ports::{ArchiveBody, SourceArchive};

/// How much is read from the file at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Why a body was not spooled.
#[derive(Debug, thiserror::Error)]
pub enum SpoolFault {
    /// It is larger than the limit, in bytes.
    #[error("the body is longer than {0} bytes")]
    TooLarge(u64),
    /// The disk has no room.
    #[error("the disk is full")]
    DiskFull,
    /// The disk failed otherwise.
    #[error("the spool failed: {}", .0.kind())]
    Disk(Error),
    /// The connection broke, or brought nothing.
    #[error("the body broke off")]
    Broken,
}

impl From<Error> for SpoolFault {
    fn from(error: Error) -> Self {
        let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge);
        if full { Self::DiskFull } else { Self::Disk(error) }
    }
}

/// Spools the body of an answer into `folder` (the system's folder for temporary files, if `None`).
pub async fn spool(response: Response, folder: Option<&Path>, limit: u64) -> Result<SourceArchive, SpoolFault> {
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(SpoolFault::TooLarge(limit));
    }
    // The file has no name from the start: nothing is left over when we end, however we end.
    let file = match folder {
        Some(folder) => tempfile::tempfile_in(folder)?,
        None => tempfile::tempfile()?,
    };
    let mut file = File::from_std(file);
    let mut hash = Sha256::new();
    let mut length: u64 = 0;
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| SpoolFault::Broken)?;
        length = length.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if length > limit {
            return Err(SpoolFault::TooLarge(limit));
        }
        hash.update(&piece);
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    file.rewind().await?;
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(SourceArchive { length, sha256, body: Box::new(Spool { file }) })
}

#[derive(Debug)]
struct Spool {
    file: File,
}

#[async_trait]
impl ArchiveBody for Spool {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = self.file.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| piece.freeze()))
    }

    async fn rewind(&mut self) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(0)).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::archive::all;

    fn answer(body: &'static str) -> Response {
        Response::from(http::Response::new(body))
    }

    #[tokio::test]
    async fn a_body_keeps_the_promises_of_an_archive() {
        let folder = tempfile::tempdir().unwrap();
        // More than is read from the file at once.
        let body = "hello ".repeat(PIECE);
        let limit = u64::try_from(body.len()).unwrap();
        let response = Response::from(http::Response::new(body.clone()));
        let mut archive = spool(response, Some(folder.path()), limit).await.unwrap();
        assert_eq!(all(&mut archive).await, body.into_bytes());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
    }

    #[tokio::test]
    async fn too_large_is_told() {
        assert!(matches!(spool(answer("hello!"), None, 5).await, Err(SpoolFault::TooLarge(5))));
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        // 28 is ENOSPC, 122 EDQUOT.
        for code in [28, 122] {
            assert!(matches!(SpoolFault::from(Error::from_raw_os_error(code)), SpoolFault::DiskFull));
        }
        assert!(matches!(SpoolFault::from(Error::from(ErrorKind::NotFound)), SpoolFault::Disk(_)));
    }
}
