//! The generated side of the world `highlighting`.

spin_sdk::wit_bindgen::generate!({
    path: "../../wit/deps/highlighting",
    world: "highlighting",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    additional_derives: [PartialEq],
    pub_export_macro: true,
});
