import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

// The layers that each layer may import, as in docs/architecture.md.
const layers = {
  ground: [],
  redis: ['ground'],
  feature: ['ground', 'redis'],
  client: ['ground'],
  app: ['ground', 'redis', 'feature'],
  edge: ['ground', 'client'],
  tools: ['ground', 'redis', 'feature', 'client', 'app', 'edge', 'tools'],
};

const onlyHere = {
  ioredis: { name: 'ioredis', message: 'Only packages/redis-client imports ioredis.' },
};

const noProcessEnv = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: "Only the app's config.ts reads process.env.",
};
const noRedisName = {
  selector:
    ':matches(Literal[value=/^(openclaw:|pubsub:|presence:|roster:|typing:|channel:|messages:|seq:messages|ratelimit:)/], TemplateElement[value.raw=/^(openclaw:|pubsub:|presence:|roster:|typing:|channel:|messages:|seq:messages|ratelimit:)/])',
  message: 'Redis names are made by @openclaw/key-schema alone.',
};

export default tseslint.config(
  {
    ignores: [
      '**/dist',
      '**/out-tsc',
      '**/*.gen.ts',
      '.nx',
      '**/*.mjs',
      '**/vite.config.ts',
      'apps/loadgen/k6',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: Object.entries(layers).map(([layer, mayImport]) => ({
            sourceTag: `layer:${layer}`,
            onlyDependOnLibsWithTags: mayImport.map((other) => `layer:${other}`),
          })),
        },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/require-await': 'off',
      'no-restricted-imports': ['error', { paths: [onlyHere.ioredis] }],
      'no-restricted-syntax': ['error', noProcessEnv, noRedisName],
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } },
      ],
      'no-console': 'error',
    },
  },
  {
    // The other servers in the benchmark use ioredis directly, as their documentation says.
    files: [
      'packages/redis-client/**',
      'tools/bench/src/compare/peers/**',
      'tools/bench/src/micro/**',
    ],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['packages/key-schema/**'],
    rules: { 'no-restricted-syntax': ['error', noProcessEnv] },
  },
  {
    files: ['apps/*/src/config.ts'],
    rules: { 'no-restricted-syntax': ['error', noRedisName] },
  },
  {
    // Tests use the tools that start servers, and spell out Redis names to check key-schema.
    files: ['**/*.test.ts', '**/*.contract.ts', '**/src/testing/**', 'tools/**'],
    rules: {
      '@nx/enforce-module-boundaries': 'off',
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  // An example imports its package by name, as readers do.
  { files: ['**/examples/**'], rules: { '@nx/enforce-module-boundaries': 'off' } },
  { files: ['apps/demo/**', 'apps/loadgen/**', 'tools/**'], rules: { 'no-console': 'off' } },
);
