import type { StorybookConfig } from '@storybook/react-vite'
import { mergeConfig } from 'vite'

const config: StorybookConfig = {
  framework: '@storybook/react-vite',
  stories: ['../*.stories.tsx'],
  core: { disableTelemetry: true, disableWhatsNewNotifications: true },
  typescript: { reactDocgen: false },
  // An app's own module creates its manager from the double.
  viteFinal: (config) =>
    mergeConfig(config, { resolve: { alias: [{ find: /^tokenkeep$/, replacement: 'tokenkeep/testing' }] } }),
}
export default config
