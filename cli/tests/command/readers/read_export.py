"""Reads an export as a trainer does, and prints what it read as JSON: `read_export.py FORMAT PATH`.

The rules and schemas are those of the versions in docs/EXPORT.md.
"""

import glob
import io
import json
import os
import re
import sys
import zipfile

from PIL import Image, ImageOps


def size(image):
    image.load()
    return list(image.size)


def kohya(root):
    """sd-scripts: read_config_from_file, ConfigSanitizer, glob_images, read_caption, load_image."""
    import toml
    from voluptuous import Required, Schema

    os.chdir(root)
    training = toml.load("train.toml")
    # library/config_util.py, ConfigSanitizer: the keys that the export may use. Others are errors.
    subset = {Required("image_dir"): str, "class_tokens": str, "num_repeats": int}
    dataset = {
        "resolution": int,
        "batch_size": int,
        "enable_bucket": bool,
        "min_bucket_reso": int,
        "max_bucket_reso": int,
        "subsets": [subset],
    }
    schema = Schema({"general": {"caption_extension": str, "keep_tokens": int}, "datasets": [dataset]})
    config = schema(toml.load(training["dataset_config"]))
    [dataset] = config["datasets"]
    assert dataset["min_bucket_reso"] <= dataset["resolution"] <= dataset["max_bucket_reso"]
    read = {}
    for subset in dataset["subsets"]:
        folder, extension = subset["image_dir"], config["general"]["caption_extension"]
        endings = [".png", ".jpg", ".jpeg", ".webp", ".bmp"]
        endings += [ending.upper() for ending in endings]
        paths = {path for ending in endings for path in glob.glob(os.path.join(glob.escape(folder), "*" + ending))}
        for path in sorted(paths):
            base = os.path.splitext(path)[0]
            tokens = base.split("_")
            other = "_".join(tokens[:-4]) if len(tokens) >= 5 else base
            caption = subset["class_tokens"]
            for candidate in [base + extension, other + extension]:
                if os.path.isfile(candidate):
                    with open(candidate, "rt", encoding="utf-8") as file:
                        lines = file.readlines()
                    assert len(lines) > 0, candidate
                    caption = lines[0].strip()
                    break
            # load_image ignores the EXIF orientation.
            read[path] = {"caption": caption, "size": size(Image.open(path).convert("RGB"))}
    return {"read": read, "repeats": [subset["num_repeats"] for subset in dataset["subsets"]]}


def ai_toolkit(root):
    """ai-toolkit: get_config, AiToolkitDataset, load_caption, inject_trigger_into_prompt."""
    import yaml

    os.chdir(root)
    with open("balancer-train.yaml", encoding="utf-8") as file:
        text = file.read()
    assert not re.search(r"\$\{[^}]+\}", text), "an environment variable"
    config = yaml.safe_load(text)
    assert config["job"] == "extension"
    name = config["config"]["name"]
    config = json.loads(json.dumps(config).replace("[name]", name))
    [process] = config["config"]["process"]
    read = {}
    for dataset in process["datasets"]:
        trigger = dataset["trigger_word"]
        for folder, folders, files in os.walk(dataset["folder_path"]):
            folders[:] = [it for it in folders if not it.startswith(".")]
            for file in sorted(files):
                if not file.lower().endswith((".jpg", ".jpeg", ".png", ".webp")) or file.startswith("."):
                    continue
                path = os.path.join(folder, file)
                with open(os.path.splitext(path)[0] + "." + dataset["caption_ext"], encoding="utf-8") as beside:
                    caption = beside.read()
                for placeholder in ["[name]", "[trigger]"]:
                    caption = caption.replace(placeholder, trigger)
                if trigger not in caption:
                    caption = trigger + " " + caption
                image = Image.open(path)
                assert image.format in ("JPEG", "PNG"), "webp currently has issues"
                read[path] = {"caption": caption, "size": size(ImageOps.exif_transpose(image))}
    resolution = process["datasets"][0]["resolution"]
    return {"read": read, "resolution": resolution, "steps": process["train"]["steps"]}


# modules/util/config/ConceptConfig.py and TrainConfig.py: the keys with their types, as far as the export may use them.
CONCEPT = {
    "__version": int, "image": dict, "text": dict, "name": str, "path": str, "seed": int, "enabled": bool, "type": str,
    "include_subdirectories": bool, "image_variations": int, "text_variations": int, "balancing": float,
    "balancing_strategy": str, "loss_weight": float,
}
CONCEPT_IMAGE = {"__version": int, "enable_crop_jitter": bool, "enable_random_flip": bool}
CONCEPT_TEXT = {"__version": int, "prompt_source": str}
TRAINING = {
    "__version": int, "training_method": str, "model_type": str, "base_model_name": str, "output_model_format": str,
    "output_model_destination": str, "workspace_dir": str, "cache_dir": str, "concept_file_name": str, "samples": list,
    "resolution": str, "epochs": int, "batch_size": int, "learning_rate": float, "layer_filter_preset": str, "unet": dict,
    "text_encoder": dict, "text_encoder_2": dict, "vae": dict,
}
MODEL_PART = {"train": bool, "weight_dtype": str}


def check_keys(values, known):
    for key, value in values.items():
        assert type(value) is known[key], (key, value)


def onetrainer(root):
    """OneTrainer: BaseConfig.from_dict, CollectPaths, LoadMultipleTexts, LoadImage."""
    os.chdir(root)
    with open("config.json") as file:
        config = json.load(file)
    check_keys(config, TRAINING)
    for part in ["unet", "text_encoder", "text_encoder_2", "vae"]:
        check_keys(config[part], MODEL_PART)
    with open(config["concept_file_name"]) as file:
        concepts = json.load(file)
    read = {}
    for concept in concepts:
        check_keys(concept, CONCEPT)
        check_keys(concept["image"], CONCEPT_IMAGE)
        check_keys(concept["text"], CONCEPT_TEXT)
        assert concept["type"] == "STANDARD" and concept["balancing_strategy"] == "REPEATS"
        for name in sorted(os.listdir(concept["path"])):
            stem, ending = os.path.splitext(name)
            if ending.lower() not in (".bmp", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".avif"):
                continue
            if stem.endswith(("-masklabel", "-condlabel")):
                continue
            with open(os.path.join(concept["path"], stem + ".txt"), encoding="utf-8") as file:
                lines = [line.strip() for line in file]
            [caption] = [line for line in lines if line != ""]
            path = os.path.join(concept["path"], name)
            read[path] = {"caption": caption, "size": size(ImageOps.exif_transpose(Image.open(path)))}
    return {"read": read, "repeats": [concept["balancing"] for concept in concepts]}


def huggingface(root):
    """datasets: both ways to load a folder."""
    import datasets

    datasets.disable_progress_bars()
    read = {}
    for arguments in [{"path": "imagefolder", "data_dir": root}, {"path": root}]:
        loaded = datasets.load_dataset(**arguments)
        assert list(loaded) == ["train"], list(loaded)
        rows = [dict(row, image=None, size=list(row["image"].size)) for row in loaded["train"]]
        found = {str(number): dict(row, caption=row["text"]) for number, row in enumerate(rows)}
        assert read in ({}, found)
        read = found
    return {"read": read}


def replicate(path):
    """flux-fine-tuner: extract_zip, iter_images_captions."""
    read = {}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if not name.startswith(("__MACOSX/", "._"))]
        assert not any("/" in name for name in names), names
        for name in names:
            if not name.lower().endswith((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")):
                continue
            beside = os.path.splitext(name)[0] + ".txt"
            caption = archive.read(beside).decode("utf-8") if beside in names else None
            read[name] = {"caption": caption, "size": size(Image.open(io.BytesIO(archive.read(name))))}
    return {"read": read}


def unzip(path):
    """Any zip: its names, its times, and its files in a new folder beside it."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        times = {info.date_time for info in archive.infolist()}
        archive.extractall(path + ".extracted")
        return {"names": archive.namelist(), "times": sorted(times)}


READERS = {
    "kohya": kohya,
    "ai-toolkit": ai_toolkit,
    "onetrainer": onetrainer,
    "huggingface": huggingface,
    "replicate": replicate,
    "unzip": unzip,
}

print(json.dumps(READERS[sys.argv[1]](sys.argv[2])))
