//! Faces turned to the camera, found by the SeetaFace cascade.
//!
//! The cascade says how sure it is by adding up over neighbouring windows, so that large faces score higher
//! than small ones. Every face found is therefore looked at once more, cut out and brought to one size.

use std::io;

use image::imageops::{self, FilterType};
use image::{GrayImage, RgbImage};
use rustface::{ImageData, Model};

/// The trained cascade; the `README.md` beside it names its source and licence.
static CASCADE: &[u8] = include_bytes!("seeta_fd_frontal_v1.0.bin");

/// Longest side, in pixels, at which faces are looked for. The cascade needs 40 pixels a face, so that the
/// smallest face found is about a thirteenth of the picture's height.
const SEARCH_SIDE: f32 = 512.0;
/// Faces the first look finds with less certainty are forgotten.
const LEAST_SEARCH_SCORE: f64 = 1.0;
/// Side, in pixels, of the face in the cut-out of the second look.
const CONFIRM_FACE: f32 = 80.0;
/// Side of the cut-out in faces: the cascade wants to see some of what is around a face.
const CONFIRM_MARGIN: f32 = 2.0;
/// The shortest side the cascade accepts.
const LEAST_SIDE: u32 = 40;

/// A detected face; lengths are shares of the picture's width or height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Face {
    /// Middle of the face from the left edge, as a share of the width.
    pub(crate) center_x: f32,
    /// Height of the face as a share of the height of the picture.
    pub(crate) height: f32,
    /// How sure the cascade is that the face is frontal, measured at one size for all faces.
    pub(crate) frontality: f32,
}

/// Finds faces.
#[derive(Clone)]
pub(crate) struct FaceFinder {
    model: Model,
}

impl FaceFinder {
    /// Reads the built-in cascade.
    pub(crate) fn new() -> io::Result<Self> {
        rustface::read_model(CASCADE).map(|model| Self { model })
    }

    /// The most frontal face, if there is any.
    pub(crate) fn most_frontal(&self, image: &RgbImage) -> Option<Face> {
        let (width, height) = image.dimensions();
        let factor = SEARCH_SIDE / width.max(height).max(1) as f32;
        let side = |length: u32| (length as f32 * factor).round() as u32;
        if side(width.min(height)) < LEAST_SIDE {
            return None;
        }
        let gray = imageops::grayscale(image);
        let copy = imageops::resize(&gray, side(width), side(height), FilterType::Triangle);
        self.scan(&copy, 0.7)
            .into_iter()
            .map(|found| Face {
                center_x: found.center_x / copy.width() as f32,
                height: found.side / copy.height() as f32,
                frontality: self.frontality(&copy, found),
            })
            .max_by(|a, b| a.frontality.total_cmp(&b.frontality))
    }

    /// How sure the cascade is of a face once it's brought to the standard size.
    fn frontality(&self, gray: &GrayImage, found: Window) -> f32 {
        let half = found.side * CONFIRM_MARGIN / 2.0;
        let start = |center: f32| (center - half).max(0.0) as u32;
        let (left, top) = (start(found.center_x), start(found.center_y));
        let side = (half * 2.0) as u32;
        let cut = imageops::crop_imm(gray, left, top, side, side).to_image();
        let scaled = |length: u32| (length as f32 * CONFIRM_FACE / found.side).round() as u32;
        let (width, height) = (scaled(cut.width()), scaled(cut.height()));
        if width.min(height) < LEAST_SIDE {
            return 0.0;
        }
        let copy = imageops::resize(&cut, width, height, FilterType::Triangle);
        self.scan(&copy, 0.8).iter().map(|window| window.score).fold(0.0, f32::max)
    }

    /// Runs the cascade over a picture, each of its sizes `shrink` times the one before.
    fn scan(&self, gray: &GrayImage, shrink: f32) -> Vec<Window> {
        let mut detector = rustface::create_detector_with_model(self.model.clone());
        detector.set_score_thresh(LEAST_SEARCH_SCORE);
        detector.set_pyramid_scale_factor(shrink);
        let faces = detector.detect(&ImageData::new(gray.as_raw(), gray.width(), gray.height()));
        faces.iter().map(Window::from).collect()
    }
}

/// Where the cascade sees a face, in pixels.
#[derive(Debug, Clone, Copy)]
struct Window {
    center_x: f32,
    center_y: f32,
    side: f32,
    score: f32,
}

impl From<&rustface::FaceInfo> for Window {
    fn from(face: &rustface::FaceInfo) -> Self {
        let area = face.bbox();
        let side = area.width().max(1) as f32;
        Self {
            center_x: area.x() as f32 + side / 2.0,
            center_y: area.y() as f32 + side / 2.0,
            side,
            score: face.score() as f32,
        }
    }
}
