//! The generated side of the world `store`.

spin_sdk::wit_bindgen::generate!({
    path: "../../wit",
    world: "store",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    additional_derives: [PartialEq],
    pub_export_macro: true,
});
