//! `Front`: TLS before a server, as a proxy in front of it speaks it, vouched for by an authority of the test's own.
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub(crate) struct Front {
    pub(crate) base: String,
    folder: tempfile::TempDir,
}

impl Front {
    pub(crate) async fn before(server: &str) -> Self {
        Self::valid(server, 1975..4096).await
    }

    /// Its certificate is valid in these years only.
    pub(crate) async fn valid(server: &str, years: Range<i32>) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("anchor.pem"), authority.pem()).expect("written");

        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(years.start, 1, 1);
        params.not_after = date_time_ymd(years.end, 1, 1);
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        )
        .expect("a pair");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let target = server.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (acceptor, target) = (acceptor.clone(), target.clone());
                tokio::spawn(async move {
                    // Who does not trust it hangs up.
                    let Ok(mut near) = acceptor.accept(near).await else {
                        return;
                    };
                    let mut far = TcpStream::connect(target).await.expect("the server");
                    copy_bidirectional(&mut near, &mut far).await.ok();
                });
            }
        });
        Self {
            base: format!("https://localhost:{port}"),
            folder,
        }
    }

    /// The certificate of who vouches for it.
    pub(crate) fn anchor(&self) -> PathBuf {
        self.folder.path().join("anchor.pem")
    }
}
