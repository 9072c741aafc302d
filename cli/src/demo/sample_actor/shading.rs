//! Finding what a ray meets, and the light that comes back along it.

use glam::Vec3;

use super::camera::Ray;
use super::character::Character;
use super::distance_field::Surface;
use super::lighting::Lighting;
use super::material::{Finish, Material};
use super::noise::smoothstep;
use super::setting::{Setting, nearest_plane};

/// Everything there is to photograph.
#[derive(Debug, Clone)]
pub struct World {
    pub setting: Setting,
    pub lighting: Lighting,
    pub character: Character,
}

/// What one ray sees.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Radiance, linear RGB.
    pub colour: Vec3,
    /// Distance along the ray; [`FAR`] for the sky.
    pub depth: f32,
    pub material: Option<Material>,
}

/// A point of a surface.
struct Hit {
    depth: f32,
    point: Vec3,
    normal: Vec3,
    material: Material,
}

/// Distance beyond which there is only sky.
pub const FAR: f32 = 40.0;
/// Distance at which the haze begins.
const HAZE_START: f32 = 3.6;
const MARCH_STEPS: usize = 90;
const SHADOW_STEPS: usize = 22;
/// Distance within which the character's own distance must be exact when marching.
const REACH: f32 = 0.25;
/// Distances from a surface at which its openness is probed.
const PROBES: [f32; 5] = [0.02, 0.06, 0.14, 0.28, 0.5];

/// The nearest solid along a ray. The props are looked at again only once they might be nearer than the character.
struct Walk<'a> {
    world: &'a World,
    ray: Ray,
    props: Surface,
    props_seen_at: f32,
}

impl Walk<'_> {
    fn nearest(&mut self, depth: f32, reach: f32) -> Surface {
        let p = self.ray.at(depth);
        let character = self.world.character.surface(p, reach);
        if self.props.distance - (depth - self.props_seen_at) >= character.distance {
            return character;
        }
        self.props = self.world.setting.props(p);
        self.props_seen_at = depth;
        character.or(self.props.distance, self.props.material)
    }
}

impl World {
    /// The light that arrives at the origin of `ray`.
    pub fn see(&self, ray: Ray) -> Sample {
        self.trace(ray, 1)
    }

    fn trace(&self, ray: Ray, bounces: u32) -> Sample {
        let Some(hit) = self.hit(ray) else {
            let colour = self.setting.sky(ray.direction);
            return Sample { colour, depth: FAR, material: None };
        };
        let clear = match self.setting.wall_opening(hit.point) {
            Some(light) if !hit.material.is_character() => light,
            _ => self.shade(&hit, ray, bounces),
        };
        // Haze begins behind the character, as if the wind had just cleared it.
        let haze = 1.0 - (-(hit.depth - HAZE_START).max(0.0) * self.lighting.haze_density).exp();
        let colour = clear.lerp(self.lighting.haze, haze);
        Sample { colour, depth: hit.depth, material: Some(hit.material) }
    }

    fn walk(&self, ray: Ray) -> Walk<'_> {
        let props = Surface::new(0.0, Material::Iron);
        Walk { world: self, ray, props, props_seen_at: 0.0 }
    }

    /// Sphere tracing (Hart 1996) through the solids as far as the first plane.
    fn hit(&self, ray: Ray) -> Option<Hit> {
        let plane = nearest_plane(self.setting.planes(), ray).filter(|(depth, _)| *depth < FAR);
        let limit = plane.map_or(FAR, |(depth, _)| depth);
        let (mut walk, mut depth) = (self.walk(ray), 0.0);
        for _ in 0..MARCH_STEPS {
            let surface = walk.nearest(depth, REACH);
            if surface.distance < 0.0007 * depth {
                return Some(self.solid_hit(ray.at(depth), depth, surface.material));
            }
            depth += surface.distance;
            if depth > limit {
                break;
            }
        }
        plane.map(|(depth, plane)| Hit { depth, point: ray.at(depth), normal: plane.normal, material: plane.material })
    }

    fn solid_hit(&self, point: Vec3, depth: f32, material: Material) -> Hit {
        // The gradient from four points of a tetrahedron (Quilez, "Normals for an SDF").
        let step = 0.0008 * depth.max(0.5);
        let corners = [Vec3::new(1.0, -1.0, -1.0), Vec3::new(-1.0, -1.0, 1.0), Vec3::new(-1.0, 1.0, -1.0), Vec3::ONE];
        let solid = |p| {
            if material.is_character() { self.character.surface(p, REACH) } else { self.setting.props(p) }
        };
        let gradient: Vec3 = corners.iter().map(|&corner| corner * solid(point + corner * step).distance).sum();
        Hit { depth, point, normal: gradient.normalize_or(Vec3::Y), material }
    }

    /// The point at which the material's texture is looked up.
    fn texture_point(&self, hit: &Hit) -> Vec3 {
        if hit.material.is_character() { self.character.to_local(hit.point) } else { hit.point }
    }

    /// Bends the normal along the slope of the material's relief (Blinn 1978).
    fn bumped_normal(&self, hit: &Hit, texture: Vec3) -> Vec3 {
        let step = 0.0012 * hit.depth.max(1.0);
        let here = hit.material.relief(texture);
        if hit.depth > 7.0 || (here == 0.0 && hit.material.relief(texture + 0.01) == 0.0) {
            return hit.normal;
        }
        let slope = |axis: Vec3| (hit.material.relief(texture + axis * step) - here) / step;
        let local = Vec3::new(slope(Vec3::X), slope(Vec3::Y), slope(Vec3::Z));
        let gradient = if hit.material.is_character() { self.character.to_world(local) } else { local };
        let along = gradient - hit.normal * gradient.dot(hit.normal);
        (hit.normal - along.clamp_length_max(1.2)).normalize()
    }

    fn shade(&self, hit: &Hit, ray: Ray, bounces: u32) -> Vec3 {
        let light = &self.lighting;
        let texture = self.texture_point(hit);
        let finish = hit.material.finish(texture);
        let normal = self.bumped_normal(hit, texture);
        let view = -ray.direction;
        let start = hit.point + hit.normal * 0.004;

        let open = self.ambient_occlusion(hit);
        let hemisphere = light.below.lerp(light.above, 0.5 + 0.5 * normal.y);
        let mut colour = finish.emission + finish.albedo * hemisphere * open;

        let key = light.key * self.setting.gobo(hit.point, light.to_key);
        if hit.normal.dot(light.to_key) > 0.0 && key.max_element() > 0.01 {
            let shadow = self.visibility(start, light.to_key, 8.0, light.key_size);
            colour += key * shadow * reflected(&finish, normal, view, light.to_key);
        }
        for lamp in &light.lamps {
            let offset = lamp.position - hit.point;
            let (distance, direction) = (offset.length(), offset.normalize());
            let strength = lamp.colour / (0.2 + distance * distance);
            if strength.max_element() > 0.02 && hit.normal.dot(direction) > 0.0 {
                let shadow = self.visibility(start, direction, distance - 0.35, 0.08);
                colour += strength * shadow * reflected(&finish, normal, view, direction);
            }
        }
        colour + self.mirrored(hit, &finish, normal, ray, bounces) * (0.25 + 0.75 * open)
    }

    /// The surroundings' reflection: traced in mirrors and wet asphalt, otherwise guessed from the sky.
    fn mirrored(&self, hit: &Hit, finish: &Finish, normal: Vec3, ray: Ray, bounces: u32) -> Vec3 {
        let facing = normal.dot(-ray.direction).max(0.0);
        let gloss = (1.0 - finish.roughness).powi(2);
        let fresnel = finish.specular + (Vec3::ONE - finish.specular) * gloss * (1.0 - facing).powi(5);
        let direction = ray.direction - 2.0 * ray.direction.dot(normal) * normal;
        let is_sharp = hit.material.is_mirror() || finish.roughness < 0.3 && hit.material == Material::Asphalt;
        if is_sharp && bounces > 0 && direction.dot(hit.normal) > 0.02 {
            let next = Ray { origin: hit.point + hit.normal * 0.006, direction };
            return fresnel * self.trace(next, bounces - 1).colour.min(Vec3::splat(12.0));
        }
        let ambient = self.lighting.below.lerp(self.lighting.above, 0.5 + 0.5 * direction.y);
        fresnel * ambient.lerp(self.setting.sky(direction), gloss)
    }

    /// The share of a light of the given apparent size that is not hidden (Quilez, "Soft shadows in raymarched SDFs").
    fn visibility(&self, start: Vec3, to_light: Vec3, limit: f32, size: f32) -> f32 {
        let ray = Ray { origin: start, direction: to_light };
        let (mut walk, mut open, mut depth) = (self.walk(ray), 1.0f32, 0.02);
        for _ in 0..SHADOW_STEPS {
            let distance = walk.nearest(depth, REACH.max(1.1 * size * depth)).distance;
            open = open.min(distance / (size * depth));
            depth += distance.clamp(0.025, 1.5);
            if open < 0.01 || depth > limit {
                break;
            }
        }
        smoothstep(0.0, 1.0, open)
    }

    /// How open the surroundings of a point are (Quilez, "Ambient occlusion in SDFs"); planes count too.
    fn ambient_occlusion(&self, hit: &Hit) -> f32 {
        if hit.depth > 11.0 {
            return 1.0;
        }
        let (mut hidden, mut weight) = (0.0, 1.0);
        let mut walk = self.walk(Ray { origin: hit.point, direction: hit.normal });
        for step in PROBES {
            let p = hit.point + hit.normal * step;
            let mut distance = walk.nearest(step, step + 0.01).distance;
            for plane in self.setting.planes() {
                distance = distance.min(plane.normal.dot(p) - plane.offset);
            }
            hidden += (step - distance).max(0.0) * weight;
            weight *= 0.62;
        }
        (1.0 - 2.4 * hidden).clamp(0.08, 1.0)
    }
}

/// The share of light from `light` that leaves towards `view`: Lambert's diffuse term plus the microfacet term of
/// Walter et al. 2007 (GGX) with Schlick's Fresnel and Karis's visibility approximation, times the cosine.
fn reflected(finish: &Finish, normal: Vec3, view: Vec3, light: Vec3) -> Vec3 {
    let cosine = normal.dot(light).max(0.0);
    let half = (view + light).normalize_or(normal);
    let alpha = (finish.roughness * finish.roughness).max(0.004);
    let (n_h, n_v) = (normal.dot(half).max(0.0), normal.dot(view).max(0.05));
    let spread = n_h * n_h * (alpha * alpha - 1.0) + 1.0;
    let distribution = alpha * alpha / (std::f32::consts::PI * spread * spread);
    let visibility = 0.25 / ((cosine * (1.0 - alpha) + alpha) * (n_v * (1.0 - alpha) + alpha)).max(0.05);
    let fresnel = finish.specular + (Vec3::ONE - finish.specular) * (1.0 - view.dot(half).max(0.0)).powi(5);
    (finish.albedo + fresnel * (distribution * visibility).min(18.0)) * cosine
}
