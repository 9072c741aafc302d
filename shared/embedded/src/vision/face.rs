//! Finds faces that face the camera, with the SeetaFace cascade.
//!
//! The cascade sums its scores over neighbouring windows, so large faces score higher than small ones. A second pass
//! therefore cuts out every face, scales it to one size and scores it again.

use std::io;

use image::imageops::{self, FilterType};
use image::{GrayImage, RgbImage};
use rustface::{ImageData, Model};

/// The trained cascade; the `README.md` beside it names its source and licence.
static CASCADE: &[u8] = include_bytes!("seeta_fd_frontal_v1.0.bin");

/// The longest side of the picture in the first pass, in pixels. The cascade needs 40 pixels a face, so the smallest
/// face that it finds has about a thirteenth of the picture's height.
const SEARCH_SIDE: f32 = 512.0;
/// The minimum score of a face in the first pass.
const MIN_SEARCH_SCORE: f64 = 1.0;
/// The side of the face in the cut-out of the second pass, in pixels.
const CONFIRM_FACE: f32 = 80.0;
/// The side of the cut-out, in sides of the face: the cascade needs some of the surroundings.
const CONFIRM_MARGIN: f32 = 2.0;
/// The shortest side of a picture that the cascade accepts, in pixels.
const MIN_SIDE: u32 = 40;

/// A detected face; lengths are shares of the picture's width or height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Face {
    /// The distance of the face's centre from the left edge.
    pub(crate) center_x: f32,
    pub(crate) height: f32,
    /// The score of the second pass: how certain the cascade is that the face is frontal.
    pub(crate) frontality: f32,
}

#[derive(Clone)]
pub(crate) struct FaceFinder {
    model: Model,
}

impl FaceFinder {
    /// Reads the built-in cascade.
    pub(crate) fn new() -> io::Result<Self> {
        rustface::read_model(CASCADE).map(|model| Self { model })
    }

    pub(crate) fn most_frontal(&self, image: &RgbImage) -> Option<Face> {
        let (width, height) = image.dimensions();
        let factor = SEARCH_SIDE / width.max(height).max(1) as f32;
        let side = |length: u32| (length as f32 * factor).round() as u32;
        if side(width.min(height)) < MIN_SIDE {
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

    /// The score of a face in the second pass.
    fn frontality(&self, gray: &GrayImage, found: Window) -> f32 {
        let half = found.side * CONFIRM_MARGIN / 2.0;
        let start = |center: f32| (center - half).max(0.0) as u32;
        let (left, top) = (start(found.center_x), start(found.center_y));
        let side = (half * 2.0) as u32;
        let cut = imageops::crop_imm(gray, left, top, side, side).to_image();
        let scaled = |length: u32| (length as f32 * CONFIRM_FACE / found.side).round() as u32;
        let (width, height) = (scaled(cut.width()), scaled(cut.height()));
        if width.min(height) < MIN_SIDE {
            return 0.0;
        }
        let copy = imageops::resize(&cut, width, height, FilterType::Triangle);
        self.scan(&copy, 0.8).iter().map(|window| window.score).fold(0.0, f32::max)
    }

    /// Runs the cascade over copies of a picture, each `shrink` times as large as the previous one.
    fn scan(&self, gray: &GrayImage, shrink: f32) -> Vec<Window> {
        let mut detector = rustface::create_detector_with_model(self.model.clone());
        detector.set_score_thresh(MIN_SEARCH_SCORE);
        detector.set_pyramid_scale_factor(shrink);
        let faces = detector.detect(&ImageData::new(gray.as_raw(), gray.width(), gray.height()));
        faces.iter().map(Window::from).collect()
    }
}

/// A square in which the cascade finds a face, in pixels.
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
