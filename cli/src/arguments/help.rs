//! The texts below the options in `--help`. Lines have at most 80 characters, so that terminals don't wrap them.

pub const EXAMPLES: &str = "\
Examples:
  balancer demo                            try it
  balancer local --data images --dry-run   show what would change
  balancer local --data images             balance the actors of a folder
  balancer images ACTOR --data images      list the images of a set
  balancer status --stack balancer-prod    show the actors of a stack in AWS

Exit codes:
  0    done
  1    failed
  2    wrong usage
  3    done, but an actor needs attention or is parked
  130  stopped by Ctrl-C or a signal";

pub const EXAMPLES_OF_LOCAL: &str = "\
Examples:
  balancer local --data images                      balance every actor
  balancer local --data images --actor hero --watch keep one actor balanced
  balancer local --data images --dry-run --json     what would change
  balancer local --from hero.png --export kohya -o hero-kohya
                                                    from a picture to a set
  balancer local --data images --target-total 30 --target-shares 80/10/10
  balancer local --data images --vision openai --generator replicate";

pub const ENVIRONMENT: &str = "\
Environment:
  --vision openai:
    OPENAI_API_KEY, OPENAI_BASE_URL, VISION_MODEL, VISION_REASONING_EFFORT,
    VISION_MODE, VISION_PASSES, VISION_TIMEOUT_SECONDS,
    VISION_USD_PER_MILLION_INPUT_TOKENS, VISION_USD_PER_MILLION_OUTPUT_TOKENS
  --generator replicate:
    REPLICATE_API_TOKEN, REPLICATE_BASE_URL,
    REPLICATE_MODEL (owner/name or owner/name:version),
    GENERATOR_USD_PER_IMAGE or GENERATOR_USD_PER_MEGAPIXEL
    (needed if the price of the model is not known)
  --generator openai:
    OPENAI_IMAGES_API_KEY, OPENAI_IMAGES_BASE_URL, OPENAI_IMAGES_MODEL,
    OPENAI_IMAGES_QUALITY,
    GENERATOR_USD_PER_IMAGE or GENERATOR_USD_PER_MEGAPIXEL (needed)
  --generator comfyui:
    COMFYUI_WORKFLOW (a workflow in API form), COMFYUI_MAPPING, COMFYUI_URL,
    GENERATOR_USD_PER_IMAGE (for a rented GPU)
  budgets:
    DAILY_BUDGET_USD, ACTOR_DAILY_BUDGET_USD, PLAN_BUDGET_USD
  everywhere:
    NO_COLOR (no colours), RUST_LOG (more log lines),
    BALANCER_CACHE_DIR (the cache of the emulator)";

pub const EXAMPLES_OF_COMPLETIONS: &str = "\
Examples:
  balancer completions bash > balancer.bash   and source that in ~/.bashrc
  balancer completions zsh > ~/.zfunc/_balancer
  balancer completions fish > ~/.config/fish/completions/balancer.fish";

pub const EXAMPLES_OF_SEND: &str = "\
Examples:
  balancer send evaluation hero --dry-run           what would change
  balancer send deletion hero hero_3.jpg hero_9.jpg
  balancer send generation hero --bw-stylized 2";

pub const EXAMPLES_OF_PIN: &str = "\
Examples:
  balancer pin hero hero_3.jpg                      in the stack that runs here
  balancer pin hero hero_3.jpg --data images        in a folder
  balancer unpin hero hero_3.jpg --stack balancer-prod";

pub const EXAMPLES_OF_RESTORE: &str = "\
Examples:
  balancer restore hero                             everything deleted last
  balancer restore hero hero_3.jpg --data images    one image, in a folder
  balancer trash hero --data images                 what can be restored";

pub const EXAMPLES_OF_CAPTION: &str = "\
Examples:
  balancer caption hero                             show all captions
  balancer caption hero hero_3.jpg \"at a window, reading a letter\"
  balancer caption hero hero_3.jpg --remove";

pub const EXAMPLES_OF_IMPORT: &str = "\
Examples:
  balancer import training_manifests actor_manifests --data images
                                    manifests of an earlier script
  balancer import \"train/10_ohwx woman\" --data images
                                    images, captions, trigger and class
  balancer import photos --actor hero --data images
                                    images of one actor
  balancer import --bucket --stack balancer-prod --dry-run
                                    what lies in the bucket";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::arguments::Arguments;

    /// Every command's help, with the path of its name.
    fn helps(command: &mut clap::Command, path: &str) -> Vec<(String, String)> {
        let own = (path.to_owned(), command.render_long_help().to_string());
        let deeper = command.get_subcommands_mut().flat_map(|it| helps(it, &format!("{path} {}", it.get_name())));
        std::iter::once(own).chain(deeper.collect::<Vec<_>>()).collect()
    }

    #[test]
    fn no_line_below_the_options_is_wrapped() {
        for (command, help) in helps(&mut Arguments::command(), "balancer") {
            let below = help.split_once("\nExamples:").map_or("", |(_, below)| below);
            assert!(below.lines().all(|line| line.chars().count() <= 80), "{command}:\n{below}");
        }
    }

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
