//! A port on which this program answers itself.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::error::IoResult;
use crate::faults::{Io, Operation};

/// A free TCP port of 127.0.0.1 on which this program answers, for those of its own libraries that can only dial an address. Closed when
/// it is dropped.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Io {
    /// Opens a door at a port that is free now.
    ///
    /// # Errors
    /// [`IoError`](crate::IoError) if no port is free.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open_door(&self) -> IoResult<Door> {
        self.run(Operation::Read, "a free port of 127.0.0.1", || {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Door { listener: TcpListener::from_std(listener)?, address })
        })
    }
}

impl Door {
    /// Where it is dialled.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next one who comes in.
    ///
    /// # Errors
    /// [`std::io::Error`] if the door cannot be used any more.
    pub async fn next(&self) -> std::io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>> {
        Ok(self.listener.accept().await?.0)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn who_dials_the_door_is_answered() {
        let door = Io::real().open_door().unwrap();
        assert!(door.address().ip().is_loopback());
        let address = door.address();
        let dialling = tokio::spawn(async move {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            stream.write_all(b"knock").await.unwrap();
        });
        let mut stream = door.next().await.unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await.unwrap();
        dialling.await.unwrap();
        assert_eq!(heard, "knock");
    }
}
