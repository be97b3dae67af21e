//! The generated side of the world `policy`.

spin_sdk::wit_bindgen::generate!({
    path: "../../wit/deps/push-policy",
    world: "policy",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    additional_derives: [PartialEq],
    pub_export_macro: true,
});
