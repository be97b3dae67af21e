//! In the place of `browse`: wants the operator's token. No host may link it.

use bytes::Bytes;
use spin_sdk::http::{FullBody, IntoResponse, Request};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package tests:thief;
            world thief { import lithe:forge/operator@0.1.0; }
        ",
        path: "../../wit",
        world: "tests:thief/thief",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

#[spin_sdk::http_service]
async fn handle(_request: Request) -> impl IntoResponse {
    let token = bindings::lithe::forge::operator::token();
    http::Response::new(FullBody::new(Bytes::from(format!("{token:?}\n"))))
}
