//! Devices of other processes and machines, over an encrypted and authenticated connection (iroh).

use std::net::SocketAddr;
use std::path::Path;

use burn::remote::{EndpointId, IrohHost, IrohRelays, RemoteHost};
use burn::server::{IrohIdentity, IrohTransport, RemoteServer, TokenAuthorizer};
use burn::tensor::Device;

use crate::error::TrainError;

/// The environment variable with the token that a server and its clients share.
pub const REMOTE_TOKEN: &str = "SIMCLR_REMOTE_TOKEN";

/// Lends this machine's devices to training runs on other machines, which name them
/// `remote:ID@ADDRESS:PORT` or `remote:ID@ADDRESS:PORT/INDEX`.
///
/// The connection is encrypted. The server proves its identity by its key, and a client its permission by the token.
/// Clients reach the server at its address; there is no relay.
///
/// ```no_run
/// use std::path::Path;
/// use burn::tensor::Device;
/// use simclr_train::DeviceServer;
///
/// let server = DeviceServer::new(vec![Device::flex()], Path::new("server.key"), 4433, "a long secret")?;
/// println!("--device {}", server.name("192.0.2.7"));
/// server.serve()?; // until Ctrl-C
/// # Ok::<(), simclr_train::TrainError>(())
/// ```
pub struct DeviceServer {
    server: RemoteServer,
    transport: IrohTransport,
    port: u16,
}

impl DeviceServer {
    /// A server of `devices`, all of one backend, on UDP `port`. The file `key` holds its secret key and is made if it
    /// does not exist; whoever can read it can pose as this server. Clients must present `token`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Serve`] if the key cannot be read or written, or the token is empty.
    pub fn new(
        devices: Vec<Device>,
        key: &Path,
        port: u16,
        token: &str,
    ) -> Result<Self, TrainError> {
        let refused = |reason: String| TrainError::Serve { reason };
        let identity = IrohIdentity::load_or_create(key)
            .map_err(|error| refused(format!("the key {}: {error}", key.display())))?;
        let authorizer = TokenAuthorizer::new(token).map_err(|error| refused(error.to_string()))?;
        let transport = IrohTransport::new(identity);
        let transport = transport.with_relays(IrohRelays::Disabled).with_port(port);
        let server = RemoteServer::new(devices).with_authorizer(authorizer);
        Ok(Self { server, transport, port })
    }

    /// The name of its first device on machines that reach this one at `address`.
    #[must_use]
    pub fn name(&self, address: &str) -> String {
        let address =
            if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        format!("remote:{}@{address}:{}", self.transport.id(), self.port)
    }

    /// Serves until Ctrl-C.
    ///
    /// # Errors
    ///
    /// [`TrainError::Serve`] if the port is taken, if there are no devices, or if they are of several backends.
    pub fn serve(self) -> Result<(), TrainError> {
        let refused = |error: burn::server::ServeError| {
            let source = std::error::Error::source(&error).map(|s| format!(": {s}"));
            TrainError::Serve { reason: format!("{error}{}", source.unwrap_or_default()) }
        };
        self.server.serve(self.transport).map_err(refused)
    }
}

/// The device called `remote:{place}`, with the token from the environment.
pub(crate) fn connect(place: &str) -> Result<Device, TrainError> {
    let token = std::env::var(REMOTE_TOKEN).unwrap_or_default();
    let failed =
        |reason: String| TrainError::RemoteDevice { name: format!("remote:{place}"), reason };
    if token.is_empty() {
        let reason = format!("expected the server's token in {REMOTE_TOKEN}, found none");
        return Err(failed(reason));
    }
    let (host, index) = parse(place).map_err(|found| {
        failed(format!("expected remote:ID@ADDRESS:PORT or remote:ID@ADDRESS:PORT/INDEX, {found}"))
    })?;
    let host = RemoteHost::iroh(host).with_credential(token);
    let options = Device::remote_options(&host).device_index(index);
    options.init().map_err(|error| failed(error.to_string()))
}

/// Reads `ID@ADDRESS:PORT` or `ID@ADDRESS:PORT/INDEX`: host and index.
fn parse(place: &str) -> Result<(IrohHost, usize), String> {
    let (id, address) = place.split_once('@').ok_or("found no \"@\"")?;
    let (address, index) = match address.split_once('/') {
        None => (address, 0),
        Some((address, index)) => {
            let index = index.parse().map_err(|_| format!("found the index \"{index}\""))?;
            (address, index)
        }
    };
    let id: EndpointId = id.parse().map_err(|_| format!("found the ID \"{id}\""))?;
    let address: SocketAddr =
        address.parse().map_err(|_| format!("found the address and port \"{address}\""))?;
    Ok((IrohHost::new(id).with_relays(IrohRelays::Disabled).with_address(address), index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_an_id_an_address_and_maybe_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        let server = DeviceServer::new(vec![Device::flex()], &key, 4433, "secret").unwrap();
        for address in ["192.0.2.7", "2001:db8::7"] {
            let name = server.name(address);
            let place = name.strip_prefix("remote:").unwrap();
            assert_eq!(parse(place).unwrap().1, 0);
            assert_eq!(parse(&format!("{place}/3")).unwrap().1, 3);
        }
        let name = server.name("192.0.2.7");
        let place = name.strip_prefix("remote:").unwrap();
        for (bad, found) in [
            (place.replace('@', "-"), "no \"@\""),
            (place.replace("192.0.2.7", "elsewhere"), "\"elsewhere:4433\""),
            (format!("x{place}"), "the ID"),
            (format!("{place}/first"), "the index \"first\""),
        ] {
            let message = parse(&bad).unwrap_err();
            assert!(message.contains(found), "{message}");
        }
    }

    #[test]
    fn a_key_is_kept_and_a_broken_key_or_an_empty_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        let server = |token| DeviceServer::new(vec![Device::flex()], &key, 4433, token);
        let name = server("secret").unwrap().name("192.0.2.7");
        assert_eq!(server("other").unwrap().name("192.0.2.7"), name);
        assert!(matches!(server(""), Err(TrainError::Serve { .. })));
        std::fs::write(&key, "short").unwrap();
        assert!(matches!(server("secret"), Err(TrainError::Serve { .. })));
    }
}
