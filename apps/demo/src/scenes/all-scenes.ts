import type { Scene } from '../scene.ts';
import { designScenes } from './design.ts';
import { engineeringScenes } from './engineering.ts';
import { incidentScenes } from './incidents.ts';
import { lobbyScenes } from './lobby.ts';
import { qualityScenes } from './quality.ts';
import { releaseScenes } from './releases.ts';
import { researchScenes } from './research.ts';

export const allScenes: readonly Scene[] = [
  ...lobbyScenes,
  ...engineeringScenes,
  ...releaseScenes,
  ...incidentScenes,
  ...qualityScenes,
  ...designScenes,
  ...researchScenes,
];
