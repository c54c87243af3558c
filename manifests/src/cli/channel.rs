//! The arguments that name a channel.

use clap::Args;
use manifests::name::{Arch, ChannelId, Name, Os, Variant};
use serde_json::{Value, json};

/// A product on an OS, arch, variant and channel.
#[derive(Debug, Args)]
pub(crate) struct ChannelArgs {
    /// The product, such as smartclient
    #[arg(long)]
    product: Name,
    /// windows, linux, macosx (or macos), android, wince
    #[arg(long, value_parser = Os::from_command_line)]
    os: Os,
    /// x86_64, aarch64, i686, any
    #[arg(long, default_value = "x86_64")]
    arch: Arch,
    /// The variant, for products that have several builds for one OS
    #[arg(long)]
    variant: Option<Variant>,
    /// The channel
    #[arg(long, default_value = "stable")]
    channel: Name,
}

impl ChannelArgs {
    pub(crate) fn id(&self) -> ChannelId {
        let ChannelArgs { product, os, arch, variant, channel } = self;
        ChannelId { product: product.clone(), os: *os, arch: *arch, variant: variant.clone(), channel: channel.clone() }
    }
}

/// The arguments that name `id`, for the next command.
pub(crate) fn arguments(id: &ChannelId) -> String {
    let mut text = format!("--product {} --os {}", id.product, id.os);
    if id.arch != Arch::X86_64 {
        text += &format!(" --arch {}", id.arch);
    }
    if let Some(variant) = &id.variant {
        text += &format!(" --variant {variant}");
    }
    if id.channel.as_str() != "stable" {
        text += &format!(" --channel {}", id.channel);
    }
    text
}

/// A channel as scripts read it.
pub(crate) fn channel_json(id: &ChannelId) -> Value {
    json!({ "product": id.product, "os": id.os, "arch": id.arch, "variant": id.variant, "channel": id.channel })
}
