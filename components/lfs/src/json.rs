//! Reading requests.

use crate::limits::REQUEST_BYTES_MAX;
use crate::refusal::Refusal;
use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

/// Reads the body of a request whole.
pub async fn body<B>(mut body: B) -> Result<Vec<u8>, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::Cut)?.into_data() else { continue };
        if bytes.len() + data.len() > REQUEST_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Reads a request. What it has more than is asked for is passed over.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    Ok(serde_json::from_slice(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    #[test]
    fn a_request_is_read_up_to_the_limit() {
        let read = |length: usize| {
            let body = super::body(Full::new(Bytes::from(vec![b' '; length])));
            futures::executor::block_on(body).map(|bytes| bytes.len())
        };
        assert_eq!(read(REQUEST_BYTES_MAX), Ok(REQUEST_BYTES_MAX));
        assert_eq!(read(REQUEST_BYTES_MAX + 1), Err(Refusal::TooLong));
    }
}
