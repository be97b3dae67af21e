//! The generated side of the world `store`.

pub mod generated {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "store",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
        pub_export_macro: true,
    });
}

pub mod exports {
    pub mod lithe {
        /// The generator adds the version, for there is another one of the package in `wit/deps`.
        pub use crate::bindings::generated::exports::lithe::forge0_1_0 as forge;
    }
}
